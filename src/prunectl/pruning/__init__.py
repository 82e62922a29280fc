"""Pruning: four questions and their answers, one file each, and the fast code that they share.

What scores weights (`criteria/`), how a sparsity is spread (`scopes/`), what is removed (`structures/`) and how the
sparsity is reached (`rounds/`); what is broken on purpose (`ablations/`); and `engines/`, which entries import when
they are called.
"""
