"""What a batch leaves in the database."""

import base64
import json
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import msgspec
import pytest
from nacl.secret import SecretBox
from sqlalchemy import text

from tests.ingest.conftest import add_device
from tests.ingest.writing import BEGIN, NOW, Bench
from tracker.domain.device import DeviceSettings
from tracker.domain.errors import Unavailable
from tracker.domain.ids import new_id
from tracker.domain.position import Placed
from tracker.domain.subject import Subject, SubjectKind
from tracker.ingest.arrived import Arrived
from tracker.ingest.outbound import Ack
from tracker.ingest.quarantine import KEPT_AN_HOUR
from tracker.ingest.topics import of_device
from tracker.store import devices, subjects
from tracker.store.seal import Sealer
from tracker.store.session import Database, Session

OTHER_DEVICE = "f123456789abcdef"


@pytest.fixture
def bench(database: Database, sealer: Sealer) -> Bench:
    return Bench(database, sealer)


def fix(second: int, **members: Any) -> dict[str, Any]:
    return {"time": BEGIN + second, "lat": 55.0 + second / 1000, "lon": 37.0, **members}


def test_a_position_is_stored_and_told_with_whose_it_is(bench: Bench) -> None:
    bench.write(bench.arrived(fix(0, speed_mps=2, attrs={"a": [1]}, sim="89")))
    ((placed,),) = bench.told
    assert (placed.account_id, placed.device_id) == (bench.device.account_id, bench.device.device_id)
    assert placed.subject_id == bench.device.subject_id
    ((lat, speed, attrs, network),) = bench.rows(
        "SELECT st_y(geom), speed_mps, attrs, network FROM positions"
    )
    assert (lat, speed, attrs, network) == (55.0, 2.0, {"a": [1]}, {"sim": "89"})


def test_the_same_position_is_stored_and_told_once(bench: Bench) -> None:
    bench.write(bench.arrived(fix(0)), bench.arrived(fix(0)))
    bench.write(bench.arrived(fix(0)))
    assert bench.one("SELECT count(*) FROM positions") == 1
    assert [len(placed) for placed in bench.told] == [1]
    assert (bench.counted("positions_total"), bench.counted("duplicates_total")) == (1, 2)


def test_a_late_position_is_history_and_does_not_move_the_last_one(bench: Bench) -> None:
    bench.write(bench.arrived(fix(100)))
    bench.write(bench.arrived(fix(50)))
    assert bench.one("SELECT count(*) FROM positions") == 2
    assert bench.one("SELECT extract(epoch FROM recorded_at)::bigint FROM last_positions") == BEGIN + 100


def test_positions_of_long_ago_find_their_partition(bench: Bench) -> None:
    bench.write(bench.arrived({"time": "2001-02-03T04:05:06Z", "lat": 1, "lon": 1}), bench.arrived(fix(1)))
    assert bench.one("SELECT count(*) FROM positions") == 2


def test_a_stream_is_acknowledged_up_to_its_first_hole(bench: Bench) -> None:
    stream = [bench.arrived(fix(seq, boot="b", seq=seq)) for seq in (1, 2, 4)]
    assert bench.write(*stream) == [Ack(device_id=bench.device.device_id, boot="b", seq=2)]
    (ack,) = bench.write(bench.arrived(fix(3, boot="b", seq=3)))
    assert ack.seq == 4


def test_a_stream_without_its_beginning_is_not_acknowledged(bench: Bench) -> None:
    assert bench.write(bench.arrived(fix(5, boot="b", seq=5))) == []


def test_a_repeated_message_is_acknowledged_again(bench: Bench) -> None:
    bench.write(bench.arrived(fix(1, boot="b", seq=1)))
    (ack,) = bench.write(bench.arrived(fix(1, boot="b", seq=1)))
    assert ack.seq == 1


def test_each_boot_and_device_has_a_stream_of_its_own(bench: Bench) -> None:
    with bench.database.begin() as session:
        other = add_device(session)
    acks = bench.write(
        bench.arrived(fix(1, boot="b", seq=1)),
        bench.arrived(fix(2, boot="c", seq=1)),
        bench.arrived(fix(3, boot="b", seq=1), device=other),
    )
    assert {(ack.device_id, ack.boot, ack.seq) for ack in acks} == {
        (bench.device.device_id, "b", 1),
        (bench.device.device_id, "c", 1),
        (other.device_id, "b", 1),
    }


def test_poison_goes_to_quarantine_and_the_good_around_it_is_stored(bench: Bench) -> None:
    bench.write(
        bench.arrived(fix(1)), bench.arrived(b"\xff{"), bench.arrived(fix(2, lat=91)), bench.arrived(fix(3))
    )
    assert bench.one("SELECT count(*) FROM positions") == 2
    kept = bench.rows("SELECT reason, account_id IS NOT NULL FROM quarantine ORDER BY reason")
    assert [tuple(row) for row in kept] == [("not_json", True), ("out_of_range", True)]
    assert bench.counted("refused_total", reason="out_of_range") == 1
    assert bench.counted("messages_total", dialect="native") == 4


def test_a_quarantined_payload_is_sealed_and_can_be_opened(bench: Bench) -> None:
    bench.write(bench.arrived(b'{"lat": 91}'))
    ((identity, sealed),) = bench.rows("SELECT quarantine_id, sealed FROM quarantine")
    assert b"lat" not in bytes(sealed)
    context = f"quarantine/{identity & (2**64 - 1):016x}"
    assert bench.sealer.open(bytes(sealed), context=context) == b'{"lat": 91}'


def test_a_refused_position_counts_as_done_in_its_stream(bench: Bench) -> None:
    (ack,) = bench.write(
        bench.arrived(fix(1, boot="b", seq=1)), bench.arrived(fix(2, lat=91, boot="b", seq=2))
    )
    assert ack.seq == 2


def test_an_array_is_kept_but_for_its_bad_element(bench: Bench) -> None:
    bench.write(bench.arrived([fix(1), fix(2, lon=200), fix(3)]))
    assert bench.one("SELECT count(*) FROM positions") == 2
    assert bench.one("SELECT detail LIKE '%lon%' FROM quarantine")


def test_an_unknown_device_is_refused(bench: Bench) -> None:
    assert bench.write(bench.arrived(fix(1, boot="b", seq=1), device=OTHER_DEVICE)) == []
    assert bench.one("SELECT count(*) FROM positions") == 0
    assert bench.one("SELECT reason FROM quarantine") == "unknown_device"


@pytest.mark.parametrize(
    ("topic", "reason"),
    [
        ("tracker/x/nonsense/position", "bad_topic"),
        ("elsewhere/f/f123456789abcdef", "bad_topic"),
        ("tracker/0/f123456789abcdef/position", "wrong_shard"),
    ],
)
def test_a_topic_that_is_none_of_ours_is_refused(bench: Bench, topic: str, reason: str) -> None:
    bench.write(Arrived(1, 1, topic, b"{}", NOW))
    assert bench.one("SELECT reason FROM quarantine") == reason


def test_a_topic_that_is_no_utf8_is_refused(bench: Bench) -> None:
    bench.write(Arrived(1, 1, "tracker/\ufffd", b"{}", NOW, legible=False))
    assert bench.one("SELECT reason FROM quarantine") == "bad_topic"


def test_a_flood_of_poison_is_counted_whole_and_kept_in_part(bench: Bench) -> None:
    flood = [bench.arrived(b"poison")] * (KEPT_AN_HOUR + 50)
    bench.write(*flood)
    assert bench.one("SELECT count(*) FROM quarantine") == KEPT_AN_HOUR
    assert bench.counted("refused_total", reason="not_json") == KEPT_AN_HOUR + 50
    bench.write(bench.arrived(b"poison"), now=NOW + timedelta(hours=1))
    assert bench.one("SELECT count(*) FROM quarantine") == KEPT_AN_HOUR + 1


def test_a_failing_consumer_costs_only_the_message_it_fails_at(bench: Bench) -> None:
    def fail_at_second_three(_session: Session, placed: Sequence[Placed], _now: datetime) -> None:
        if any(each.position.recorded_at.timestamp() == BEGIN + 3 for each in placed):
            raise ArithmeticError

    bench.writer = bench.writer_with(fail_at_second_three)
    (ack,) = bench.write(*(bench.arrived(fix(seq, boot="b", seq=seq)) for seq in range(1, 6)))
    assert ack.seq == 5
    stored = bench.rows("SELECT extract(epoch FROM recorded_at)::bigint FROM positions ORDER BY 1")
    assert [row[0] - BEGIN for row in stored] == [1, 2, 4, 5]
    assert bench.rows("SELECT reason, detail FROM quarantine") == [("store_refused", "ArithmeticError")]
    assert bench.counted("positions_total") == 4
    assert bench.counted("messages_total", dialect="native") == 5


def test_what_the_database_refuses_is_quarantined_alone(bench: Bench) -> None:
    with bench.database.begin() as session:
        session.execute(text("ALTER TABLE positions ADD CONSTRAINT slow CHECK (speed_mps < 100)"))
    bench.write(bench.arrived(fix(1)), bench.arrived(fix(2, speed_mps=200)), bench.arrived(fix(3)))
    assert bench.one("SELECT count(*) FROM positions") == 2
    assert bench.rows("SELECT reason, detail FROM quarantine") == [("store_refused", "CheckViolation 23514")]


def test_a_batch_meets_a_database_that_is_away_and_nothing_is_stored(bench: Bench) -> None:
    def lose_connection(session: Session, _placed: Sequence[Placed], _now: datetime) -> None:
        session.execute(text("SELECT pg_terminate_backend(pg_backend_pid())"))

    bench.writer = bench.writer_with(lose_connection)
    with pytest.raises(Unavailable):
        bench.write(bench.arrived(fix(1)))
    assert bench.one("SELECT count(*) FROM positions") == 0
    assert bench.one("SELECT count(*) FROM quarantine") == 0


def test_presence_is_what_the_device_said_last(bench: Bench) -> None:
    bench.write(bench.arrived(b"online", "status"), bench.arrived(b"offline", "status"))
    assert bench.one("SELECT online FROM devices") is False
    bench.write(bench.arrived(b"online", "status"))
    assert bench.one("SELECT online FROM devices") is True
    assert bench.one("SELECT count(*) FROM facts WHERE kind = 'presence'") >= 1


def test_a_device_that_reports_again_after_its_last_will_is_online(bench: Bench) -> None:
    """OwnTracks has no word for being back: it stayed offline for ever after its first lost connection."""
    bench.write(bench.arrived(b"offline", "status"))
    bench.write(bench.arrived(fix(1)))
    assert bench.one("SELECT online FROM devices") is True
    bench.write(bench.arrived(b"offline", "status"), bench.arrived(fix(2)))
    assert bench.one("SELECT online FROM devices") is True
    bench.write(bench.arrived(fix(3)), bench.arrived(b"offline", "status"))
    assert bench.one("SELECT online FROM devices") is False


def test_a_replayed_retained_position_does_not_make_a_device_online(bench: Bench) -> None:
    bench.write(bench.arrived(b"offline", "status"))
    bench.write(msgspec.structs.replace(bench.arrived(fix(1)), retained=True))
    assert bench.one("SELECT online FROM devices") is False


def test_an_encrypted_payload_is_opened_with_the_devices_sealed_key(bench: Bench) -> None:
    with bench.database.begin() as session:
        context = devices.payload_key_context(bench.device.device_id)
        sealed = bench.sealer.seal(b"secret", context=context)
        devices.set_payload_key(session, bench.device.account_id, bench.device.device_id, sealed)
    body = json.dumps({"_type": "location", "tst": BEGIN, "lat": 55, "lon": 37}).encode()
    data = base64.b64encode(SecretBox(b"secret".ljust(32, b"\0")).encrypt(body)).decode()
    payload = json.dumps({"_type": "encrypted", "data": data}).encode()
    bench.write(Arrived(1, 1, of_device("owntracks", bench.device.device_id), payload, NOW))
    assert bench.one("SELECT count(*) FROM positions") == 1


def test_a_device_that_moved_to_another_subject_reports_for_it(bench: Bench) -> None:
    other = Subject(
        account_id=bench.device.account_id,
        subject_id=new_id(),
        kind=SubjectKind.PET,
        name="Mia",
        created_at=NOW,
    )
    with bench.database.begin() as session:
        subjects.add(session, other)
        devices.change(
            session,
            bench.device.account_id,
            bench.device.device_id,
            name="collar",
            subject_id=other.subject_id,
            external_id=None,
            settings=DeviceSettings(),
        )
    bench.write(bench.arrived(fix(1)))
    assert bench.told[0][0].subject_id == other.subject_id


def test_a_wrong_shard_is_told_to_the_device_s_owner(bench: Bench) -> None:
    wrong = "0" if bench.device.device_id[0] != "0" else "1"
    topic = f"tracker/{wrong}/{bench.device.device_id}/position"
    bench.write(Arrived(1, 1, topic, json.dumps(fix(1)).encode(), NOW))
    (row,) = bench.rows("SELECT reason, account_id IS NOT NULL, device_id IS NOT NULL FROM quarantine")
    assert tuple(row) == ("wrong_shard", True, True)


def test_a_table_that_is_missing_costs_no_message(bench: Bench) -> None:
    with bench.database.begin() as session:
        session.execute(text("ALTER TABLE facts RENAME TO facts_of_tomorrow"))
    with pytest.raises(Unavailable):
        bench.write(bench.arrived(b"offline", "status"))
    with bench.database.begin() as session:
        session.execute(text("ALTER TABLE facts_of_tomorrow RENAME TO facts"))
    bench.write(bench.arrived(b"offline", "status"))
    assert bench.one("SELECT count(*) FROM facts") == 1
    assert bench.one("SELECT count(*) FROM quarantine") == 0
