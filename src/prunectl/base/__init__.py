"""What every room stands on: errors, keys, catalogues, randomness. Nothing here imports torch at the top."""
