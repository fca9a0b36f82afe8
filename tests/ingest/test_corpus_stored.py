"""Every recorded MQTT message, sent by a gateway of its dialect, leaves the positions its line says."""

import json
import os
from collections import defaultdict
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from tests.ingest.conftest import add_device
from tests.ingest.writing import Bench
from tracker import registry
from tracker.domain.device import DeviceSettings
from tracker.domain.errors import Malformed
from tracker.domain.gateway import Gateway
from tracker.domain.ids import new_id
from tracker.ingest.arrived import Arrived
from tracker.ingest.rehearsal import corpus_dialect, corpus_message
from tracker.ingest.topics import of_device
from tracker.store import devices, gateways
from tracker.store.seal import Sealer
from tracker.store.session import Database

CORPUS = Path(os.environ.get("TRACKER_CORPUS") or Path(__file__).parents[1] / "corpus")
DIALECTS = registry.load("tracker.ingest.dialects", "DIALECT")
Line = dict[str, Any]
CLOCKS_AGREE = timedelta(milliseconds=2)


def groups(path: Path) -> list[list[Line]]:
    """The lines of a file that belong together, in their order; an encrypted payload needs its own device."""
    found: dict[str, list[Line]] = defaultdict(list)
    for row in filter(None, path.read_text().splitlines()):
        line = json.loads(row)
        if line["transport"] == "mqtt" and not line.get("key"):
            found[line.get("seq") or line.get("dedupe_group") or line["id"]].append(line)
    return [sorted(lines, key=lambda line: line.get("seq_no", 0)) for lines in found.values()]


def expected(lines: list[Line]) -> list[Line]:
    """What a group leaves: of a sequence the last line counts, of duplicates one row."""
    wanted = lines[-1:] if "seq" in lines[0] else lines
    made: list[Line] = []
    for line in wanted:
        expect = line["expect"]
        made += [expect] if isinstance(expect, dict) else expect if isinstance(expect, list) else []
    return made[:1] if "dedupe_group" in lines[0] else made


class Site(Bench):
    """A writer, and for each group of lines an account with a gateway and the devices it names."""

    def leaves(self, lines: list[Line]) -> list[tuple[datetime, float, float]]:
        """What is stored of a group, by time."""
        dialect = corpus_dialect(lines[0])
        names = sorted({name for line in lines if (name := claimed(line))})
        with self.database.begin() as session:
            device = add_device(session)
            for name in names[:1]:
                devices.change(
                    session,
                    device.account_id,
                    device.device_id,
                    name="x",
                    subject_id=device.subject_id,
                    external_id=name,
                    settings=DeviceSettings(),
                )
            gateway = Gateway(
                account_id=device.account_id,
                gateway_id=new_id(),
                name="g",
                dialect=dialect,
                created_at=device.created_at,
            )
            gateways.add(session, gateway, mqtt_password_hash="$7$x")
        assert len(names) <= 1, "a group speaks of one device"
        for line in lines:
            message = corpus_message(line)
            topic = of_device("gateway", gateway.gateway_id, message.topic)
            arrived = Arrived(1, 1, topic, message.payload, message.received_at, message.retained)
            self.write(arrived, now=message.received_at)
        while self.writer.close_windows(max(corpus_message(line).received_at for line in lines) + HOUR):
            pass
        with self.database.begin() as session:
            rows = session.execute(
                text(
                    "SELECT recorded_at, ST_Y(geom), ST_X(geom) FROM positions WHERE account_id = :account"
                    " ORDER BY 1"
                ),
                {"account": int(device.account_id, 16) - (1 << 64 if device.account_id >= "8" else 0)},
            )
            return [(row[0], row[1], row[2]) for row in rows]


HOUR = timedelta(hours=1)


def claimed(line: Line) -> str | None:
    """The name that a line's message gives its device."""
    try:
        decoded = DIALECTS[corpus_dialect(line)].decode(corpus_message(line))
    except Malformed:
        return None
    return next((each.external_id for each in (*decoded.reports, *decoded.parts)), None)


@pytest.mark.parametrize("path", sorted(CORPUS.glob("*.jsonl")), ids=lambda path: path.stem)
def test_every_group_of_lines_leaves_what_it_says(path: Path, database: Database, sealer: Sealer) -> None:
    site = Site(database, sealer)
    wrong = []
    for lines in groups(path):
        stored = site.leaves(lines)
        wanted = expected(lines)
        if len(stored) != len(wanted) or not all(
            agrees(row, each, lines[-1]) for row, each in zip(stored, wanted, strict=True)
        ):
            wrong.append((lines[-1]["id"], len(wanted), len(stored)))
    assert not wrong


def agrees(row: tuple[datetime, float, float], wanted: Line, line: Line) -> bool:
    """Tell whether a stored row is the expected position."""
    moment, lat, lon = row
    told = wanted["time"]
    expected_at = corpus_message(line).received_at if told == "received" else datetime.fromisoformat(told)
    return (
        abs(moment - expected_at) <= CLOCKS_AGREE
        and lat == pytest.approx(wanted["lat"], abs=1e-6)
        and lon == pytest.approx(wanted["lon"], abs=1e-6)
    )
