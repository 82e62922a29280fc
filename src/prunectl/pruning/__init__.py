"""Pruning: what scores weights, how a sparsity is spread, which weights go. Four questions, four files."""
