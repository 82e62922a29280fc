"""The plan: what a study asks to be made, as a graph of keyed steps. Pure: no disk, no torch."""
