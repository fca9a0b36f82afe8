import json
from typing import Any

import pytest

from tests.ingest.messages import RECEIVED
from tracker.domain.device import DeviceSettings, SpeedUnit
from tracker.domain.errors import Malformed, Reason
from tracker.domain.position import Position
from tracker.ingest.dialects._message import NOTHING, Decoded, Message
from tracker.ingest.dialects.pui import DIALECT

BODY = {
    "id": "015262001044848",
    "ts": "2026-11-21T08:30:15.362Z",
    "rpt": "hf",
    "location": {"lat": 33.91, "lon": -84.2},
}


def decode(body: Any, topic: str = "dt/015262001044848/hf", **members: Any) -> Decoded:
    payload = body if isinstance(body, bytes) else json.dumps(body).encode()
    return DIALECT.decode(Message(topic=topic, payload=payload, received_at=RECEIVED, **members))


def position(**members: Any) -> Position:
    (report,) = decode({**BODY, **members}).reports
    assert report.external_id == "015262001044848"
    assert report.position is not None
    return report.position


def refusal(body: Any, topic: str = "x") -> Reason:
    with pytest.raises(Malformed) as refused:
        decode(body, topic)
    return refused.value.reason


@pytest.mark.parametrize(
    ("members", "field", "value"),
    [
        ({"spd": 2482}, "speed_mps", pytest.approx(24.82)),
        ({"spd": -1}, "speed_mps", None),
        ({"bear": 70}, "course_deg", 70),
        ({"ign": "on"}, "ignition", True),
        ({"ign": "off"}, "ignition", False),
        ({"ign": "unknown"}, "ignition", None),
        ({"rpt": "loc", "vin": "W1"}, "attrs", {"rpt": "loc", "vin": "W1"}),
        ({"rpt": "loc"}, "trigger", "loc"),
    ],
)
def test_a_member_is_taken_or_unknown(members: dict[str, Any], field: str, value: object) -> None:
    assert getattr(position(**members), field) == value


def test_the_device_is_in_the_topic_or_else_in_the_body() -> None:
    assert decode(BODY, "dt/other/hf").reports[0].external_id == "other"
    assert decode(BODY, "x").reports[0].external_id == "015262001044848"
    assert refusal({**BODY, "id": None}) is Reason.NO_IDENTITY
    assert decode({**BODY, "id": None}, "x", devices={"": DeviceSettings()}).reports[0].external_id is None


def test_without_a_fix_only_the_ignition_is_told() -> None:
    (report,) = decode({**BODY, "location": {"lat": 0, "lon": 0}, "ign": "on"}).reports
    assert report.position is None
    assert report.fact is not None
    assert (report.fact.kind, report.fact.data) == ("telemetry", {"ignition": True})


def test_the_devices_own_unit_of_speed_is_heeded() -> None:
    devices = {"015262001044848": DeviceSettings(speed_unit=SpeedUnit.KMH)}
    (report,) = decode({**BODY, "spd": 36}, devices=devices).reports
    assert report.position is not None
    assert report.position.speed_mps == pytest.approx(10)


@pytest.mark.parametrize(
    "body", [b"", {}, {**BODY, "rpt": "boot"}, {**BODY, "rpt": None}, {**BODY, "rpt": []}]
)
def test_other_reports_are_ignored(body: Any) -> None:
    assert decode(body) == NOTHING


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ({**BODY, "location": None}, Reason.WRONG_SHAPE),
        ({**BODY, "location": {"lat": 33.91}}, Reason.WRONG_SHAPE),
        ({**BODY, "location": {"lat": 33.91, "lon": 190}}, Reason.OUT_OF_RANGE),
        ({**BODY, "ts": None}, Reason.NO_TIME),
        ({**BODY, "ts": "1999-12-31T23:59:59Z"}, Reason.TIME_BEFORE_2000),
        (b"[]", Reason.WRONG_SHAPE),
        (b"{", Reason.NOT_JSON),
    ],
)
def test_what_cannot_be_true_is_refused(body: Any, reason: Reason) -> None:
    assert refusal(body) is reason
