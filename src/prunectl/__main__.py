"""`python -m prunectl`: the same as `prunectl`."""

from __future__ import annotations

from prunectl.cli.start import main

if __name__ == "__main__":
    main()
