"""What every other package uses: errors, keys, randomness, text. Nothing here imports torch at the top."""
