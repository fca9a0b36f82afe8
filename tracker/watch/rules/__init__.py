"""Rules that need no place, one kind a file; each announces `RULE`."""
