"""Trackers: one file for each, and no import of its package before a log is opened."""
