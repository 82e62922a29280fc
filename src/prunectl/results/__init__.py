"""From artefacts to one table, and what can be said from it."""
