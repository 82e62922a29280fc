"""Data sets: uint8 images, each data set identified by the fingerprint of its content. One file per family."""
