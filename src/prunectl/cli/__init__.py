"""The command line: one file per command. Parse, call `api`, print; nothing else."""
