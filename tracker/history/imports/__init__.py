"""Readers of files of positions, one format a file."""
