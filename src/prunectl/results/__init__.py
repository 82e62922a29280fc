"""From artefacts to one table, and what follows from it."""
