"""From tables to charts, pages and texts."""
