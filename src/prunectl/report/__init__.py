"""From a table to charts and one page."""
