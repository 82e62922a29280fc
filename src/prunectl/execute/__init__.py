"""Doing what a plan asks: the driver decides what is next, an engine does it, outcomes come back."""
