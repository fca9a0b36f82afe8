"""An OwnTracks phone against a real broker."""

import json
import threading
from datetime import timedelta
from typing import Any

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion

from devices.simulator.credentials import DeviceCredentials
from devices.simulator.drive import drive
from devices.simulator.owntracks_device import Location, OwnTracksDevice, location_message
from tests.devices.simulator.fleet_of import START, address_of, device_on
from tests.devices.simulator.service import AckingService, acking_service
from tests.kit.broker import TestBroker
from tests.kit.waiting import until


def location(number: int = 0, **more: Any) -> Location:
    time = START + timedelta(seconds=number)
    return Location(time=time, lat=60.17, lon=24.94, accuracy_m=7.6, battery_pct=78.0, **more)


def phone(broker: TestBroker, credentials: DeviceCredentials) -> OwnTracksDevice:
    return OwnTracksDevice(broker=address_of(broker), credentials=credentials, signed_in_at=START)


def locations(service: AckingService, device_id: str) -> list[dict[str, Any]]:
    with service.lock:
        return [json.loads(body) for topic, body in service.messages if topic.endswith(device_id)]


def test_location_has_the_booklets_members_and_units() -> None:
    sent = location_message(
        location(speed_mps=1.3, course_deg=359.7, altitude_m=12.4), tid="mi", trigger=None
    )
    assert sent["_type"] == "location"
    assert sent["tst"] == int(START.timestamp())
    assert (sent["acc"], sent["batt"], sent["alt"]) == (8, 78, 12)
    assert (sent["vel"], sent["cog"]) == (5, 0)
    assert "t" not in sent


def test_unknown_members_are_left_out() -> None:
    assert {"vel", "cog", "alt", "t"}.isdisjoint(location_message(location(), tid="mi", trigger=None))


def test_locations_arrive_in_order_and_leave_the_queue(broker: TestBroker) -> None:
    credentials = device_on(broker, dialect="owntracks")
    device = phone(broker, credentials)
    for number in range(30):
        device.record(location(number))
    with acking_service(broker) as service:
        drive([device], done=lambda _now_s: len(device.buffer) == 0)
        until(lambda: len(locations(service, credentials.device_id)) == 30, "all locations")
        times = [each["tst"] for each in locations(service, credentials.device_id)]
    assert times == sorted(times)


def test_last_location_is_retained_as_android_does(broker: TestBroker) -> None:
    credentials = device_on(broker, dialect="owntracks")
    device = phone(broker, credentials)
    device.record(location())
    drive([device], done=lambda _now_s: len(device.buffer) == 0)
    retained: list[bool] = []
    late = mqtt.Client(CallbackAPIVersion.VERSION2, client_id="svc-ingest-0")
    late.username_pw_set("svc-ingest-0", broker.password("svc-ingest-0"))
    late.on_message = lambda _client, _data, message: retained.append(message.retain)
    late.on_connect = lambda client, *_arguments: client.subscribe("owntracks/#")
    late.connect("127.0.0.1", broker.port)
    late.loop_start()
    until(lambda: retained == [True], "the retained location")
    late.disconnect()
    late.loop_stop()


def test_phone_answers_report_location(broker: TestBroker) -> None:
    credentials = device_on(broker, dialect="owntracks")
    device = phone(broker, credentials)
    device.record(location())
    stop = threading.Event()
    thread = threading.Thread(target=lambda: drive([device], done=lambda _now_s: stop.is_set()))
    with acking_service(broker) as service:
        thread.start()
        until(lambda: len(locations(service, credentials.device_id)) == 1, "the automatic location")
        topic = f"owntracks/{credentials.shard}/{credentials.device_id}/cmd"
        service.send(topic, b'{"_type":"cmd","action":"reportLocation"}')
        until(lambda: len(locations(service, credentials.device_id)) >= 2, "the answer")
        triggers = [each.get("t") for each in locations(service, credentials.device_id)]
    stop.set()
    thread.join()
    assert triggers == [None, "r"]
