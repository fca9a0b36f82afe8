"""Counters of one ingest process; several processes share them through prometheus-client's files."""

from collections import Counter as Tally
from dataclasses import dataclass, field

from prometheus_client import CollectorRegistry, Counter, Histogram

from tracker.domain.plausibility import Fixes

BATCH_SIZES = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000)
COMMIT_SECONDS = (0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30)


@dataclass
class Taken:
    """What one batch came to, counted only once it is committed."""

    messages: Tally[str] = field(default_factory=Tally)
    """By dialect; "none" where the topic names none."""
    refused: Tally[str] = field(default_factory=Tally)
    """By reason."""
    positions: int = 0
    duplicates: int = 0
    ignored: int = 0
    held: int = 0
    fixes: dict[str, Fixes] = field(default_factory=dict)
    """By device id, the last accepted fix after the batch and a later one that waits."""
    online: dict[str, bool] = field(default_factory=dict)
    """By device id, what it said last of its presence."""

    def add(self, other: "Taken") -> None:
        """Count what another part of the batch came to."""
        self.messages += other.messages
        self.refused += other.refused
        self.positions += other.positions
        self.duplicates += other.duplicates
        self.ignored += other.ignored
        self.held += other.held


class IngestMetrics:
    """The metrics `tracker_ingest_*`."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._messages = Counter(
            "tracker_ingest_messages", "Messages taken from the broker", ["dialect"], registry=registry
        )
        self._positions = Counter("tracker_ingest_positions", "New positions stored", registry=registry)
        self._duplicates = Counter(
            "tracker_ingest_duplicates", "Positions that were stored already", registry=registry
        )
        self._refused = Counter(
            "tracker_ingest_refused", "Messages, or positions of one, refused", ["reason"], registry=registry
        )
        self._ignored = Counter(
            "tracker_ingest_ignored", "Legal messages that say nothing to keep", registry=registry
        )
        self._held = Counter(
            "tracker_ingest_held", "Positions held for an impossible jump", registry=registry
        )
        self._batch = Histogram(
            "tracker_ingest_batch_messages", "Messages a batch", buckets=BATCH_SIZES, registry=registry
        )
        self._commit = Histogram(
            "tracker_ingest_commit_seconds",
            "From a batch's start to its commit",
            buckets=COMMIT_SECONDS,
            registry=registry,
        )

    def count(self, taken: Taken, seconds: float) -> None:
        """Add what one committed batch came to."""
        for dialect, number in taken.messages.items():
            self._messages.labels(dialect).inc(number)
        for reason, number in taken.refused.items():
            self._refused.labels(reason).inc(number)
        self.count_positions(taken)
        self._ignored.inc(taken.ignored)
        self._batch.observe(taken.messages.total())
        self._commit.observe(seconds)

    def count_positions(self, taken: Taken) -> None:
        """Add the positions alone: they were put together of parts that were counted before."""
        self._positions.inc(taken.positions)
        self._duplicates.inc(taken.duplicates)
        self._held.inc(taken.held)
