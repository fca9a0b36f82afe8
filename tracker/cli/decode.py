"""`tracker decode`: for makers of devices; needs no database and no broker."""

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import IO, Any

import click
from paho.mqtt.client import topic_matches_sub

from tracker import registry
from tracker.domain.clock import utc_now
from tracker.domain.device import DeviceSettings, SpeedUnit
from tracker.domain.errors import Malformed
from tracker.domain.position import Position, Report
from tracker.ingest.dialects._message import Decoded, Dialect, Message
from tracker.ingest.rehearsal import Line, Rehearsal, corpus_dialect, corpus_message

MEMBERS = (
    *("accuracy_m", "altitude_m", "speed_mps", "course_deg", "battery_pct", "charging", "trigger"),
    *("motion", "ignition", "odometer_m", "satellites", "hdop"),
)

Dialects = Mapping[str, Dialect]


@click.command("decode")
@click.option("--dialect", "name", help="How the payload speaks; found by the topic if it is left out.")
@click.option("--topic", default="", help="The MQTT topic as the device writes it; none over HTTP.")
@click.option("--query", default="", help="What stands behind the question mark, over HTTP.")
@click.option(
    "--received-at", metavar="TIME", help="When it came, ISO 8601; a time without zone is UTC. Default: now."
)
@click.option("--retained", is_flag=True, help="The broker replays it.")
@click.option("--key", help="The secret of an encrypted payload.")
@click.option("--own", is_flag=True, help="The device signs in itself, so the message need not name it.")
@click.option("--codec", help="The codec of its radio payloads.")
@click.option("--speed-unit", type=click.Choice([each.value for each in SpeedUnit]))
@click.option("--events", is_flag=True, help="Print what else than positions it tells.")
@click.option("--corpus", is_flag=True, help="FILE holds lines as tests/corpus/README.md describes.")
@click.argument("file", type=click.File("rb"), default="-")
def decode(
    name: str | None,
    topic: str,
    query: str,
    received_at: str | None,
    retained: bool,
    key: str | None,
    own: bool,
    codec: str | None,
    speed_unit: str | None,
    events: bool,
    corpus: bool,
    file: IO[bytes],
) -> None:
    """Print the positions that the service would make of the payload in FILE.

    One JSON object a line; `ignore` if it is legal and tells none; `reject: ...` for what is refused, and
    exit 1.
    """
    dialects: Dialects = registry.load("tracker.ingest.dialects", "DIALECT")
    if corpus:
        for line in _corpus(dialects, [json.loads(each) for each in file if each.strip()]):
            click.echo(line)
        return
    settings = DeviceSettings(codec=codec, speed_unit=SpeedUnit(speed_unit) if speed_unit else None)
    message = Message(
        topic=topic,
        payload=file.read(),
        received_at=_moment(received_at),
        retained=retained,
        payload_key=None if key is None else key.encode(),
        query=query,
        devices={"": settings} if own or codec or speed_unit else {},
    )
    rehearsal = Rehearsal()
    try:
        decoded = rehearsal.hear(_chosen(dialects, name, topic), message)
    except Malformed as error:
        click.echo(f"reject: {error}")
        raise SystemExit(1) from None
    for text in _said(decoded, [*decoded.reports, *rehearsal.flush()], events):
        click.echo(text)
    if decoded.problems:
        raise SystemExit(1)


COMMAND = decode


def canonical(device: str | None, position: Position) -> dict[str, Any]:
    """Return a position of a device by the names of the corpus, without what is unknown."""
    members = {
        "device": device,
        "time": _written(position.recorded_at),
        "lat": position.at.lat,
        "lon": position.at.lon,
        **{name: getattr(position, name) for name in MEMBERS},
        "network": dict(position.network) or None,
        "extras": dict(position.attrs) or None,
    }
    return {name: value for name, value in members.items() if value is not None}


def _said(decoded: Decoded, reports: Sequence[Report], events: bool) -> Iterator[str]:
    positions = _positions(reports)
    for position in positions:
        yield _json(position)
    for refused in decoded.problems:
        yield f"reject: {refused.reason}: {refused.detail}"
    if not positions and not decoded.problems:
        yield "ignore"
    for report in reports if events else ():
        if report.fact is not None:
            fact = report.fact
            told = {"event": fact.kind, "device": report.external_id, "time": _written(fact.recorded_at)}
            yield _json(told | {"data": dict(fact.data)})


def _positions(reports: Sequence[Report]) -> list[dict[str, Any]]:
    return [canonical(each.external_id, each.position) for each in reports if each.position is not None]


def _corpus(dialects: Dialects, lines: Sequence[Line]) -> Iterator[str]:
    """Yield what each line gives; of a sequence, the last line gives what its window holds."""
    remaining = Counter(line.get("seq") for line in lines)
    sequences: dict[str, Rehearsal] = {}
    for line in lines:
        sequence = line.get("seq")
        rehearsal = sequences.setdefault(sequence, Rehearsal()) if sequence else Rehearsal()
        remaining[sequence] -= 1
        result: Any
        try:
            decoded = rehearsal.hear(_chosen(dialects, corpus_dialect(line), ""), corpus_message(line))
        except Malformed as error:
            yield _json({"id": line["id"], "result": "reject", "reason": str(error)})
            continue
        ends = sequence is None or not remaining[sequence]
        reports = [*decoded.reports, *(rehearsal.flush() if ends else ())]
        found = _positions(reports)
        if decoded.problems and not found:
            yield _json({"id": line["id"], "result": "reject", "reason": decoded.problems[0].reason})
            continue
        result = found if len(found) > 1 else found[0] if found else "ignore"
        yield _json({"id": line["id"], "result": result})


def _chosen(dialects: Dialects, name: str | None, topic: str) -> Dialect:
    if name is None:
        speaking = [
            each
            for each, dialect in dialects.items()
            if topic and any(topic_matches_sub(filter_, topic) for filter_ in dialect.topics)
        ]
        if len(speaking) != 1:
            raise click.UsageError(
                f"the topic does not tell the dialect: --dialect, one of {', '.join(dialects)}"
            )
        name = speaking[0]
    if name not in dialects:
        raise click.UsageError(f"no dialect {name!r}; there is: {', '.join(dialects)}")
    return dialects[name]


def _moment(text: str | None) -> datetime:
    if text is None:
        return utc_now()
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise click.BadParameter(
            "ISO 8601, such as 2026-01-15T08:00:00Z", param_hint="--received-at"
        ) from None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _written(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


def _json(value: Mapping[str, Any]) -> str:
    return json.dumps(value, ensure_ascii=False, default=str)
