"""Training: one plain PyTorch loop for baselines and for every retraining. No disk."""
