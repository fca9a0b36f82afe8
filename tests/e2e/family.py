"""A family of a running service: made by the API, its devices publish by MQTT, its phones get SMS.

A family's fences and rules count as made an hour ago where a story says so (`an_hour_old`): their devices may
then tell of the last hour in true intervals, and a story of half an hour runs in seconds.
"""

import json
import math
import os
import queue
import signal
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Self
from zoneinfo import ZoneInfo

import httpx
import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion
from playwright.sync_api import Browser
from sqlalchemy import text

from tests.e2e.conftest import House
from tests.e2e.visitor import Visitor
from tests.kit.waiting import until
from tracker.domain.clock import utc_now
from tracker.local.resolve import with_private_servers
from tracker.settings import Settings
from tracker.store.session import Database

Json = dict[str, Any]
METRES_A_DEGREE = 111_195.0
OWN_CODE = "forget-me-not-7"


@dataclass(frozen=True)
class Spot:
    """A place on the ground; `north` and `east` of it are others."""

    lat: float
    lon: float

    def moved(self, *, north_m: float = 0.0, east_m: float = 0.0) -> "Spot":
        """Return the place so many metres to the north and east."""
        shrunk = METRES_A_DEGREE * math.cos(math.radians(self.lat))
        return Spot(self.lat + north_m / METRES_A_DEGREE, self.lon + east_m / shrunk)


SCHOOL = Spot(55.7512, 37.6184)
SCHOOL_ZONE = ZoneInfo("Europe/Moscow")


class Handset:
    """A device that is signed in to the broker and keeps what it is sent."""

    def __init__(self, credentials: Json) -> None:
        self.device_id: str = credentials["id"]
        access = credentials["mqtt"]
        shard = access["topics"][0].split("/")[1]
        self.topic = f"tracker/{shard}/{self.device_id}"
        self.got: queue.Queue[tuple[str, Json]] = queue.Queue()
        self._up = False
        self._client = mqtt.Client(
            CallbackAPIVersion.VERSION2, client_id=access["client_id"], protocol=MQTTProtocolVersion.MQTTv5
        )
        self._client.username_pw_set(access["username"], access["password"])
        self._client.on_connect = self._connected
        self._client.on_subscribe = self._subscribed
        self._client.on_message = self._received
        self._client.connect(access["host"], access["port"])
        self._client.loop_start()
        until(lambda: self._up, "the device to be signed in")

    def tell(self, fixes: Json | Sequence[Json]) -> None:
        """Publish a position, or several in one message; returns when the broker has it."""
        self._client.publish(f"{self.topic}/position", json.dumps(fixes), qos=1).wait_for_publish(20)

    def command(self) -> Json:
        """Return the next command that it was sent, once there is one."""
        (topic, body) = until(self._next, "a command to the device")
        assert topic == f"{self.topic}/command"
        return body

    @property
    def has_commands(self) -> bool:
        """Whether there are commands that `command` did not return."""
        return not self.got.empty()

    def close(self) -> None:
        """Sign off."""
        self._client.disconnect()
        self._client.loop_stop()

    def _next(self) -> tuple[str, Json] | None:
        try:
            return self.got.get_nowait()
        except queue.Empty:
            return None

    def _connected(self, client: mqtt.Client, *_: object) -> None:
        client.subscribe(f"{self.topic}/command", qos=1)

    def _subscribed(self, *_: object) -> None:
        self._up = True

    def _received(self, _client: mqtt.Client, _data: object, message: mqtt.MQTTMessage) -> None:
        self.got.put((message.topic, json.loads(message.payload)))


def fix(spot: Spot, at: datetime, accuracy_m: float = 6.0, **more: Any) -> Json:
    """Return a position as a device writes it."""
    return {"time": at.isoformat(), "lat": spot.lat, "lon": spot.lon, "accuracy_m": accuracy_m, **more}


@dataclass
class Family:
    """One account of the service."""

    house: House
    phone: str
    api: httpx.Client
    sms_of: Callable[[str], list[str]]
    handsets: list[Handset] = field(default_factory=list)

    @classmethod
    def at(
        cls,
        house: House,
        phone: str,
        code_of: Callable[[str], str] | None = None,
        sms_of: Callable[[str], list[str]] | None = None,
    ) -> Self:
        """Open an account; codes and messages are read from the file of the service if not told otherwise."""
        client = httpx.Client(base_url=f"{house.url}/api/v1", timeout=20, headers={"Accept-Language": "en"})
        asked = ok(client.post("/login/code", json={"phone": phone}))
        code = (code_of or house.last_code)(phone)
        login = {"phone": phone, "code": code, "login_id": asked["login_id"], "accept_terms": True}
        token: str = ok(client.post("/login", json=login))["token"]
        client.headers["Authorization"] = f"Bearer {token}"
        ok(client.patch("/account", json={"locale": "en"}))
        return cls(house, phone, client, sms_of or in_the_file(house))

    def close(self) -> None:
        """Sign off everything that this family opened."""
        for each in self.handsets:
            each.close()
        self.api.close()

    def get(self, path: str, **asked: str) -> Any:
        """Return what the API says."""
        return ok(self.api.get(path, params=asked))

    def post(self, path: str, body: Json | None = None) -> Any:
        """Return what the API says to a body."""
        return ok(self.api.post(path, json=body or {}))

    def subject(self, kind: str, name: str) -> str:
        """Add somebody; returns the id."""
        found: str = self.post("/subjects", {"kind": kind, "name": name})["id"]
        return found

    def device(self, subject_id: str, name: str = "phone") -> Handset:
        """Give somebody a device and sign it in."""
        body = {"subject_id": subject_id, "name": name, "dialect": "native"}
        handset = Handset(self.post("/devices", body))
        self.handsets.append(handset)
        return handset

    def circle(self, name: str, center: Spot, radius_m: float, subject_id: str, template: str) -> str:
        """Draw a round place for somebody; returns the id."""
        feature = {
            "type": "Feature",
            "geometry": {"type": "Point", "coordinates": [center.lon, center.lat]},
            "properties": {
                "name": name,
                "radius_m": radius_m,
                "subject_ids": [subject_id],
                "template": template,
            },
        }
        found: str = self.post("/geofences", feature)["id"]
        return found

    def rule(self, kind: str, subject_id: str, geofence_id: str | None = None, **given: Any) -> str:
        """Add a rule; returns the id."""
        body = {"kind": kind, "subject_ids": [subject_id], "geofence_id": geofence_id, **given}
        found: str = self.post("/rules", {name: each for name, each in body.items() if each is not None})[
            "id"
        ]
        return found

    def contact(self, name: str, phone: str) -> str:
        """Add somebody to tell, who agrees at once; returns the id."""
        body = {"name": name, "phone": phone, "locale": "en", "channels": ["sms"]}
        contact_id: str = self.post("/contacts", body)["id"]
        self.post(f"/contacts/{contact_id}/confirm", {"code": self.house.last_code(phone)})
        return contact_id

    def an_hour_old(self) -> datetime:
        """Let fences and rules count as made an hour ago; returns that moment."""
        made = utc_now() - timedelta(hours=1)
        with database_of(self.house) as database, database.begin() as session:
            for change in (
                "UPDATE geofences SET created_at = :made, changed_at = :made WHERE account_id = {account}",
                "UPDATE rules SET created_at = :made, changed_at = :made, active_from = :made "
                "WHERE account_id = {account}",
            ):
                account = "(SELECT account_id FROM devices WHERE device_id = :device)"
                device = int.from_bytes(bytes.fromhex(self.handsets[0].device_id), signed=True)
                session.execute(text(change.format(account=account)), {"made": made, "device": device})
        return made

    def stored(self, subject_id: str, told: Json) -> None:
        """Wait until a position is the subject's last one: everything up to it was then looked at."""

        def is_last() -> bool:
            last = self.get(f"/subjects/{subject_id}")["last_position"]
            return bool(last) and datetime.fromisoformat(
                last["properties"]["recorded_at"]
            ) == datetime.fromisoformat(told["time"])

        until(is_last, "the position to be the last one")

    def events(self, **asked: str) -> list[Json]:
        """Return the events, the newest first."""
        found: list[Json] = self.get("/events", **asked)["items"]
        return found

    def alerts(self) -> list[Json]:
        """Return the alerts with their deliveries, the newest first."""
        return [self.get(f"/alerts/{each['id']}") for each in self.get("/alerts")["items"]]

    def alert(self, event_type: str) -> Json:
        """Return the only alert of a type of event, once all of its messages are sent."""

        def sent() -> Json | None:
            found = [each for each in self.alerts() if each["event"]["type"] == event_type]
            assert len(found) <= 1, found
            done = found and found[0]["deliveries"]
            return found[0] if done and {each["state"] for each in done} == {"sent"} else None

        return until(sent, f"the alert {event_type} to be sent")

    def messages(self, phone: str | None = None) -> list[str]:
        """Return the texts of the alerts that a phone got, in their order; codes are left out."""
        return [
            each
            for each in self.sms_of(phone or self.phone)
            if "Ryadom:" not in each and "Рядом:" not in each
        ]


def ok(answer: httpx.Response) -> Any:
    """Return what an answer holds; it is a good one."""
    assert answer.is_success, f"{answer.request.url}: {answer.text}"
    return answer.json() if answer.content else None


def in_the_file(house: House) -> Callable[[str], list[str]]:
    """Return how to read the SMS of a number that the service wrote to its file."""
    path: Path = house.service.data_dir / "outbox" / "sms.jsonl"

    def of(phone: str) -> list[str]:
        lines = [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []
        return [each["text"] for each in lines if each["to"] == phone]

    return of


@contextmanager
def database_of(house: House) -> Iterator[Database]:
    """Open the database of a running service."""
    opened = Database(settings_of(house).database_url or "")
    try:
        yield opened
    finally:
        opened.close()


def settings_of(house: House) -> Settings:
    """Return the settings of a running service, its private servers filled in."""
    service = house.service
    given = {
        "data_dir": service.data_dir,
        "http": f"127.0.0.1:{service.http_port}",
        "mqtt": f"127.0.0.1:{service.mqtt_port}",
    }
    return with_private_servers(Settings(_env_file=None, **given))  # type: ignore[arg-type]


@contextmanager
def standing(house: House) -> Iterator[None]:
    """Let the service's `work` stand still, between two transactions, as long as the block lasts."""
    pid = work_of(house.service.popen.pid)

    def stopped() -> bool:
        os.kill(pid, signal.SIGSTOP)
        try:
            with database_of(house) as database:
                until(lambda: all_rest(database), "the database to rest", timeout_s=1)
        except AssertionError:
            os.kill(pid, signal.SIGCONT)
            return False
        return True

    until(stopped, "work to stand still")
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


def work_of(service_pid: int) -> int:
    """Return the process of `tracker work` among a service's children."""
    children = Path(f"/proc/{service_pid}/task/{service_pid}/children").read_text().split()
    named = {int(pid): Path(f"/proc/{pid}/cmdline").read_text().split("\0") for pid in children}
    (found,) = [pid for pid, words in named.items() if "work" in words]
    return found


def all_rest(database: Database) -> bool:
    """Tell whether no other connection is in a transaction."""
    with database.begin() as session:
        found = session.execute(
            text(
                "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() "
                "AND backend_type = 'client backend' AND state <> 'idle' AND pid <> pg_backend_pid()"
            )
        )
        return int(found.scalar_one()) == 0


@contextmanager
def looking(chromium: Browser, family: Family) -> Iterator[Visitor]:
    """Open a browser in which the family is signed in."""
    # A code of its own, since a second one by SMS comes no sooner than after a minute.
    ok(family.api.put("/account/code", json={"code": OWN_CODE}))
    with opened_by_nobody(chromium, family) as visitor:
        page = visitor.page
        page.goto(f"{family.house.url}/login?own=1&next=/alerts")
        page.get_by_label("Phone number").fill(family.phone)
        page.get_by_label("Your own code").fill(OWN_CODE)
        page.get_by_label("I have read and accept the").check()
        page.get_by_role("button", name="Open the account").click()
        page.wait_for_url(f"{family.house.url}/alerts")
        yield visitor


@contextmanager
def opened_by_nobody(chromium: Browser, family: Family) -> Iterator[Visitor]:
    """Open a browser in which nobody is signed in."""
    context = chromium.new_context(viewport={"width": 390, "height": 844}, locale="en-GB")
    visitor = Visitor(context.new_page(), family.house.url)
    try:
        yield visitor
        assert visitor.foreign == []
        assert visitor.problems == []
    finally:
        context.close()


def clock_there(moment: datetime) -> str:
    """Return the time of day at `SCHOOL`, "HH:MM"."""
    return moment.astimezone(SCHOOL_ZONE).strftime("%H:%M")
