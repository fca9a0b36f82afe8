"""What a track tells: trips, stops, distance, gaps and the fixes that cannot be true (docs/history.md)."""
