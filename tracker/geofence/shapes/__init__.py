"""Shapes of geofences, one a file; each announces `SHAPE`."""
