"""From the broker into the database: each message is decoded, stored, and only then acknowledged."""
