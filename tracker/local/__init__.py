"""The private PostgreSQL and Mosquitto of `tracker up`, and what starts and watches processes."""
