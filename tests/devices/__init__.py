"""Tests of what speaks to the service over the wire."""
