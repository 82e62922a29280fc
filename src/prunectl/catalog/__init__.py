"""What each kind of entry declares, readable without torch, and the classes behind names. Only base/ is below it."""
