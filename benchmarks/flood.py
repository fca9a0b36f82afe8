"""Does a device that floods delay the others? Ten calm devices, one fix a second each, with and without it.

The delay is what a device sees: from its publication to the application's acknowledgement, which comes after
the commit. The floor is the same ten devices in the same run before the flood begins.
"""

import json
import statistics
import threading
import time
from typing import Any

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion

from benchmarks._result import Options, Result
from benchmarks._running import add_devices, running_service

CALM_DEVICES = 10
FLOOD_PER_S = 1_000
SECONDS = 30


class Flood:
    """`tracker bench flood`; `size` is the seconds of each half, `rounds` is not used."""

    name = "flood"

    def run(self, options: Options) -> Result:
        """Measure calm, then flood, then measure again."""
        seconds = options.size or SECONDS
        with running_service() as running:
            host, port = running.settings.mqtt_address
            flooder, *calm = [
                _Device(host, port, **each) for each in add_devices(running.settings, CALM_DEVICES + 1)
            ]
            before = _delays(calm, seconds)
            stop = threading.Event()
            sent: list[int] = []
            thread = threading.Thread(target=_flood, args=(flooder, stop, sent))
            thread.start()
            during = _delays(calm, seconds)
            stop.set()
            thread.join()
            for device in (flooder, *calm):
                device.close()
        return Result(
            name=self.name,
            figures={
                "delay_p50_ms": _percentile(during, 50),
                "delay_p95_ms": _percentile(during, 95),
                "delay_max_ms": max(during),
                "unanswered": CALM_DEVICES * seconds - len(during),
                "flood_per_s": round(sum(sent) / seconds),
            },
            floors={"delay_p50_ms": _percentile(before, 50), "delay_p95_ms": _percentile(before, 95)},
            ratios={"delay_p95": round(_percentile(during, 95) / _percentile(before, 95), 2)},
        )


BENCHMARK = Flood()


class _Device:
    """A native device that measures how long the service takes to acknowledge."""

    def __init__(self, host: str, port: int, *, device_id: str, password: str, dialect: str) -> None:
        root = f"{'tracker' if dialect == 'native' else dialect}/{device_id[0]}/{device_id}"
        self._topic = f"{root}/position"
        self._sent_s: dict[int, float] = {}
        self._lock = threading.Lock()
        self._seq = 0
        self.delays_ms: list[float] = []
        self._client = mqtt.Client(
            CallbackAPIVersion.VERSION2, client_id=device_id, protocol=MQTTProtocolVersion.MQTTv5
        )
        self._client.username_pw_set(device_id, password)
        self._client.max_inflight_messages_set(1000)
        self._client.on_connect = lambda client, *_: client.subscribe(f"{root}/ack", qos=1)
        self._client.on_message = self._on_ack
        self._client.connect(host, port)
        self._client.loop_start()

    def publish(self) -> None:
        """Publish one fix of now."""
        with self._lock:
            self._seq += 1
            self._sent_s[self._seq] = time.monotonic()
        fix = {"time": time.time(), "lat": 60.17, "lon": 24.94, "boot": "b", "seq": self._seq}
        self._client.publish(self._topic, json.dumps(fix), qos=1)

    def close(self) -> None:
        """Sign off."""
        self._client.disconnect()
        self._client.loop_stop()

    def _on_ack(self, _client: Any, _data: Any, message: mqtt.MQTTMessage) -> None:
        now_s, upto = time.monotonic(), json.loads(message.payload)["seq"]
        with self._lock:
            for seq in [each for each in self._sent_s if each <= upto]:
                self.delays_ms.append((now_s - self._sent_s.pop(seq)) * 1000)


def _delays(devices: list[_Device], seconds: int) -> list[float]:
    for device in devices:
        device.delays_ms.clear()
    for _ in range(seconds):
        began_s = time.monotonic()
        for device in devices:
            device.publish()
            time.sleep(0.5 / len(devices))
        time.sleep(max(0.0, began_s + 1 - time.monotonic()))
    time.sleep(5)
    return [delay for device in devices for delay in device.delays_ms]


def _flood(device: _Device, stop: threading.Event, sent: list[int]) -> None:
    while not stop.is_set():
        began_s = time.monotonic()
        for _ in range(FLOOD_PER_S // 10):
            device.publish()
        sent.append(FLOOD_PER_S // 10)
        stop.wait(max(0.0, began_s + 0.1 - time.monotonic()))


def _percentile(values: list[float], percent: int) -> float:
    return round(statistics.quantiles(values, n=100)[percent - 1], 1)
