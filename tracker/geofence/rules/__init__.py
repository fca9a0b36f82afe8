"""Rules about places, one kind a file; each announces `RULE`."""
