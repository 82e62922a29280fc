"""Data sets as uint8 tensors in memory, each known by the fingerprint of its content. One file per data set."""
