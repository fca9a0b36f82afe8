"""Counts what the web server does, for `/metrics`."""

import os

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"


class WebMetrics:
    """The counters of one application; with several processes they meet in PROMETHEUS_MULTIPROC_DIR."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self._requests = Counter(
            "tracker_http_requests_total",
            "Answered requests by method, route and status",
            ["method", "route", "status"],
            registry=self._registry,
        )
        self._seconds = Histogram(
            "tracker_http_request_seconds",
            "Time from the first line of a request to the start of its answer",
            ["route"],
            registry=self._registry,
        )

    def count(self, method: str, route: str, status: int, took_s: float) -> None:
        """Count one answer; `route` is the rule, never the address asked for."""
        known = method if method in {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"} else "other"
        self._requests.labels(known, route, str(status)).inc()
        self._seconds.labels(route).observe(took_s)

    def text(self, quarantined: dict[str, int]) -> bytes:
        """Return the page of metrics, with how many messages lie in quarantine by reason."""
        lines = [
            "# HELP tracker_quarantine_messages Messages in quarantine by reason",
            "# TYPE tracker_quarantine_messages gauge",
            *(
                f'tracker_quarantine_messages{{reason="{reason}"}} {count}'
                for reason, count in sorted(quarantined.items())
            ),
            "",
        ]
        return bytes(generate_latest(self._scraped())) + "\n".join(lines).encode()

    def _scraped(self) -> CollectorRegistry:
        # prometheus_client itself knows this one variable; it is no setting of ours.
        folder = os.environ.get("PROMETHEUS_MULTIPROC_DIR")
        if not folder:
            return self._registry
        registry = CollectorRegistry()
        MultiProcessCollector(registry, path=folder)  # type: ignore[no-untyped-call]
        return registry
