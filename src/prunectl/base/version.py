"""The version, alone in its file: every package can import it, and it imports nothing."""

__version__ = "0.1.0"
