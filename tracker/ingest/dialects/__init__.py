"""One file a dialect: what the messages of one kind of device say. Pure; found by tracker.registry."""
