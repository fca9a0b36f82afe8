"""The web: pages and API of one application; the only place that knows Flask."""
