"""Tells people what was recorded in the outbox; the only part that drains it."""
