"""What is watched besides places: silence, batteries, journeys, calls for help."""
