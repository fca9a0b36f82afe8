"""Counters of what fences and rules come to; several processes share them through prometheus-client's files.

They count as a transaction writes: one that fails and is repeated is counted again.
"""

from prometheus_client import CollectorRegistry, Counter, Gauge


class FenceMetrics:
    """The metrics of crossings, of events and their news, of replays, corrections and failing rules."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._alerts = Counter(
            "tracker_alerts",
            "New events by type and what became of them; told: an alert was opened",
            ["type", "news"],
            registry=registry,
        )
        self._crossings = Counter(
            "tracker_crossings", "Crossings of fences by how they were decided", ["how"], registry=registry
        )
        self._replays = Counter(
            "tracker_fence_replays",
            "Subjects folded again because of late input, by how far back",
            ["depth"],
            registry=registry,
        )
        self._failures = Counter(
            "tracker_rule_failures",
            "Folds in which a rule failed by a fault of ours",
            ["kind"],
            registry=registry,
        )
        self._waiting = Gauge(
            "tracker_corrections_waiting",
            "Devices whose history waits to be folded again",
            registry=registry,
            multiprocess_mode="mostrecent",
        )

    def count_alert(self, event_type: str, news: str) -> None:
        """Count an event; `news` is its `News`."""
        self._alerts.labels(event_type, news).inc()

    def count_crossing(self, how: str) -> None:
        """Count a crossing that was stored, anew or corrected; `how` is its `How`."""
        self._crossings.labels(how).inc()

    def count_replay(self, depth: str) -> None:
        """Count a subject folded again: from its "mid" or "old" state, or a part by a "correction"."""
        self._replays.labels(depth).inc()

    def count_failure(self, kind: str) -> None:
        """Count a fold in which a rule of a kind failed."""
        self._failures.labels(kind).inc()

    def set_waiting(self, devices: int) -> None:
        """Tell how many devices wait for a correction."""
        self._waiting.set(devices)
