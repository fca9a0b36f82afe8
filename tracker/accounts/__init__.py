"""Who may come in: codes, sessions, and the family with its devices."""
