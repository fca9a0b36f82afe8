"""Formats that geofences are read from, one a file; each announces `FORMAT`."""
