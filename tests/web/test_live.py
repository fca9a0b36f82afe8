"""The live stream against a running server: news, resuming, ending."""

import json
import signal
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import text

from tests.kit.clock import StandingClock
from tests.web.callers import Caller, Household, add_device, add_subject, report
from tests.web.happenings import Story
from tests.web.serving import WebServer
from tracker.domain.clock import utc_now
from tracker.web.context import Services
from tracker.web.geojson import rfc3339
from tracker.web.guards import SESSION_COOKIE
from tracker.web.live import HEARTBEAT_S, RESUME_OVERLAP, STREAMS_PER_SESSION


@pytest.fixture
def clock() -> StandingClock:
    """The servers of these tests have the machine's clock, so the sessions must live by it."""
    return StandingClock(now=utc_now())


class Stream:
    """One open stream, read line by line."""

    def __init__(self, response: httpx.Response) -> None:
        self.response = response
        self._lines = response.iter_lines()

    def next_event(self) -> dict[str, Any]:
        """Return the fields of the next event, `data` read as JSON; comments are passed over."""
        fields: dict[str, Any] = {}
        for line in self._lines:
            if not line and "data" in fields:
                return fields | {"data": json.loads(fields["data"])}
            name, _, value = line.partition(": ")
            if name:
                fields[name] = value
        raise EOFError

    def ends(self) -> bool:
        """Read to the end; True if there is one before the time-out."""
        for _ in self._lines:
            pass
        return True


@contextmanager
def opened(server: WebServer, caller: Caller, last_id: str | None = None) -> Iterator[Stream]:
    headers = {"Last-Event-ID": last_id} if last_id else {}
    cookies = {SESSION_COOKIE: caller.cookie} if caller.cookie else None
    with (
        httpx.Client(base_url=server.url, timeout=20, cookies=cookies) as client,
        client.stream("GET", "/api/v1/live", headers={**caller.headers, **headers}) as response,
    ):
        assert response.status_code == 200
        yield Stream(response)


def test_a_stream_tells_what_is_and_then_what_changes(
    server: WebServer, home: Household, services: Services
) -> None:
    owner = home.bearer
    subject_id = add_subject(owner)
    device_id = add_device(owner, subject_id)
    report(services, home.account_id, subject_id, device_id, minutes_ago=2)
    with opened(server, home.cookie) as stream:
        assert stream.response.headers["X-Accel-Buffering"] == "no"
        assert stream.response.headers["Content-Type"].startswith("text/event-stream")
        first = stream.next_event()
        assert first["event"] == "position"
        assert first["data"]["subject_id"] == subject_id
        began = time.monotonic()
        moved = report(services, home.account_id, subject_id, device_id, minutes_ago=1, speed_mps=2.5)
        second = stream.next_event()
        assert time.monotonic() - began < 5
        assert second["data"]["device_id"] == device_id
        properties = second["data"]["feature"]["properties"]
        assert properties["speed_mps"] == 2.5
        assert properties["recorded_at"] == rfc3339(moved.recorded_at)
        assert int(second["id"]) > int(first["id"])


def test_a_stream_tells_what_happens_and_that_it_was_seen_to(
    server: WebServer, home: Household, services: Services, clock: StandingClock
) -> None:
    story = Story(home, services, clock)
    with opened(server, home.cookie) as stream:
        told = [stream.next_event(), stream.next_event()]
        assert [each["event"] for each in told] == ["position", "event"]  # it came while the page was made
        event = told[1]["data"]
        assert (event["id"], event["change"], event["alert"]["state"]) == (story.event_id, "new", "open")
        assert "Masha arrived at School" in event["text"]
        home.bearer.post(f"/api/v1/alerts/{story.alert_id}/acknowledge", {})
        seen = stream.next_event()
        assert (seen["event"], seen["data"]["id"]) == ("event", story.event_id)
        assert (seen["data"]["change"], seen["data"]["alert"]["state"]) == ("alert", "acknowledged")


def test_a_resumed_stream_is_told_what_happened_meanwhile(
    server: WebServer, home: Household, services: Services, clock: StandingClock
) -> None:
    subject_id = add_subject(home.bearer)
    report(services, home.account_id, subject_id, add_device(home.bearer, subject_id))
    with opened(server, home.cookie) as stream:
        last_id = stream.next_event()["id"]
    story = Story(home, services, clock)
    with opened(server, home.cookie, last_id) as stream:
        while (event := stream.next_event())["event"] != "event":
            pass
        assert event["data"]["id"] == story.event_id


def test_another_family_hears_nothing(
    server: WebServer, home: Household, neighbours: Household, services: Services
) -> None:
    theirs, ours = add_subject(neighbours.bearer), add_subject(home.bearer)
    their_device = add_device(neighbours.bearer, theirs)
    our_device = add_device(home.bearer, ours)
    with opened(server, home.bearer) as stream:
        report(services, neighbours.account_id, theirs, their_device)
        report(services, home.account_id, ours, our_device)
        assert stream.next_event()["data"]["subject_id"] == ours


def test_a_resumed_stream_tells_only_what_changed(
    server: WebServer, home: Household, services: Services
) -> None:
    still, moving = add_subject(home.bearer, "still"), add_subject(home.bearer, "moving")
    still_device, moving_device = add_device(home.bearer, still), add_device(home.bearer, moving)
    report(services, home.account_id, still, still_device, minutes_ago=5)
    report(services, home.account_id, moving, moving_device, minutes_ago=5)
    with opened(server, home.bearer) as stream:
        told = [stream.next_event() for _ in range(2)]
    assert {each["data"]["subject_id"] for each in told} == {still, moving}
    # An event's id is the database's time; this one is so late that the overlap holds neither report.
    with services.database.begin() as session:
        now = session.execute(text("SELECT clock_timestamp()")).scalar_one()
    last_id = str(round((now + RESUME_OVERLAP).timestamp() * 1_000_000))
    moved = report(services, home.account_id, moving, moving_device, minutes_ago=4)
    with opened(server, home.bearer, last_id) as stream:
        news = stream.next_event()["data"]
        assert news["subject_id"] == moving
        assert news["feature"]["properties"]["recorded_at"] == rfc3339(moved.recorded_at)


def test_a_stream_outlives_the_loss_of_the_listening_connection(
    server: WebServer, home: Household, services: Services
) -> None:
    subject_id = add_subject(home.bearer)
    device_id = add_device(home.bearer, subject_id)
    report(services, home.account_id, subject_id, device_id, minutes_ago=5)
    listening = text(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        " WHERE datname = current_database() AND query LIKE 'LISTEN%'"
    )
    with opened(server, home.bearer) as stream:
        stream.next_event()
        with services.database.begin() as session:
            # The server of the pages' tests may listen in the same database.
            assert set(session.execute(listening).scalars()) == {True}
        moved = report(services, home.account_id, subject_id, device_id, minutes_ago=4)
        properties = stream.next_event()["data"]["feature"]["properties"]
        assert properties["recorded_at"] == rfc3339(moved.recorded_at)


def test_a_stream_ends_within_seconds_of_its_session_though_nothing_moves(
    server: WebServer, home: Household, services: Services
) -> None:
    subject_id = add_subject(home.bearer)
    report(services, home.account_id, subject_id, add_device(home.bearer, subject_id), minutes_ago=5)
    with opened(server, home.token) as stream:
        stream.next_event()
        began = time.monotonic()
        assert home.bearer.delete(f"/api/v1/tokens/{home.token.session_id}").status_code == 204
        assert stream.ends()
        assert time.monotonic() - began < HEARTBEAT_S / 3


def test_a_subject_that_is_removed_is_told_as_gone(
    server: WebServer, home: Household, services: Services
) -> None:
    placed, never_placed = add_subject(home.bearer, "placed"), add_subject(home.bearer, "never placed")
    report(services, home.account_id, placed, add_device(home.bearer, placed))
    with opened(server, home.cookie) as stream:
        assert stream.next_event()["event"] == "position"
        for subject_id in (placed, never_placed):
            assert home.bearer.delete(f"/api/v1/subjects/{subject_id}").status_code == 204
            told = stream.next_event()
            assert (told["event"], told["data"]) == ("gone", {"subject_id": subject_id})


def test_a_subject_whose_only_device_is_removed_is_told_as_unplaced(
    server: WebServer, home: Household, services: Services
) -> None:
    subject_id = add_subject(home.bearer)
    device_id = add_device(home.bearer, subject_id)
    report(services, home.account_id, subject_id, device_id)
    with opened(server, home.cookie) as stream:
        assert stream.next_event()["event"] == "position"
        assert home.bearer.delete(f"/api/v1/devices/{device_id}").status_code == 204
        told = stream.next_event()
        assert (told["event"], told["data"]) == ("unplaced", {"subject_id": subject_id})


def test_a_position_that_counts_for_another_subject_moves_there(
    server: WebServer, home: Household, services: Services
) -> None:
    first, second = add_subject(home.bearer, "first"), add_subject(home.bearer, "second")
    device_id = add_device(home.bearer, first)
    report(services, home.account_id, first, device_id)
    with opened(server, home.cookie) as stream:
        assert stream.next_event()["data"]["subject_id"] == first
        moved = home.bearer.patch(f"/api/v1/devices/{device_id}", {"subject_id": second})
        assert moved.status_code == 200
        told = [stream.next_event() for _ in range(2)]
        assert [(each["event"], each["data"]["subject_id"]) for each in told] == [
            ("position", second),
            ("unplaced", first),
        ]


def test_a_page_may_be_reloaded_again_and_again(
    server: WebServer, home: Household, services: Services
) -> None:
    """A reload leaves a stream behind that is noticed late; it must not keep the next one out."""
    subject_id = add_subject(home.bearer)
    report(services, home.account_id, subject_id, add_device(home.bearer, subject_id))
    for _ in range(3 * STREAMS_PER_SESSION):
        with opened(server, home.bearer) as stream:
            assert stream.next_event()["event"] == "position"


def test_of_more_than_eight_streams_of_a_session_the_oldest_ends(
    server: WebServer, home: Household, services: Services
) -> None:
    subject_id = add_subject(home.bearer)
    device_id = add_device(home.bearer, subject_id)
    report(services, home.account_id, subject_id, device_id, minutes_ago=5)
    with ExitStack() as opening:
        streams = [opening.enter_context(opened(server, home.bearer)) for _ in range(STREAMS_PER_SESSION)]
        other = opening.enter_context(opened(server, home.cookie))
        for stream in (*streams, other):
            stream.next_event()
        newest = opening.enter_context(opened(server, home.bearer))
        newest.next_event()
        assert streams[0].ends()
        report(services, home.account_id, subject_id, device_id, minutes_ago=4)
        for stream in (*streams[1:], other, newest):
            assert stream.next_event()["event"] == "position"


def test_open_streams_do_not_keep_others_waiting_nor_the_server_from_stopping(
    data_dir: Path, committed_database: str, home: Household
) -> None:
    server = WebServer(data_dir, committed_database)
    with opened(server, home.bearer) as one, opened(server, home.cookie) as other:
        for _ in range(20):
            assert httpx.get(f"{server.url}/healthz", timeout=2).status_code == 200
        began = time.monotonic()
        server.popen.send_signal(signal.SIGTERM)
        assert one.ends()
        assert other.ends()
        assert server.popen.wait(timeout=10) == 0
        assert time.monotonic() - began < 10


def test_the_stream_needs_a_caller(stranger: Caller) -> None:
    assert stranger.get("/api/v1/live").status_code == 401
