"""One file a family of LoRaWAN trackers: what its objects and bytes say. Pure; found by tracker.registry."""
