"""What each kind of entry declares, readable without torch, and the tables of names. Below every other package."""
