"""What follows pruning at the end of the training: one file for each kind. No torch."""
