"""A plug-in that cannot be imported."""

raise RuntimeError("its licence has expired")
