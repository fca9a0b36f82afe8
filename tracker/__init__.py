"""Ryadom: a family's people, pets, vehicles and phones in sight and safe."""

VERSION = "0.1.0"
