"""Ways to reach a person, one file each, which announces `CHANNEL`."""
