"""The moment at which the pure tests of notifications stand: a Saturday morning, UTC."""

from datetime import UTC, datetime

NOW = datetime(2026, 11, 21, 9, 0, tzinfo=UTC)
