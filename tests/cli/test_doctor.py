import subprocess
import sys
import threading
from pathlib import Path
from urllib.parse import quote

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion

from tests.kit.broker import TestBroker
from tests.kit.mail_sink import PASSWORD, USER, mail_sink
from tests.kit.service import environment
from tests.kit.waiting import until
from tracker.local.ports import free_port
from tracker.local.postgres import Cluster

NO_SERVERS = {
    "TRACKER_DATABASE_URL": "postgresql://x@127.0.0.1:1/x",
    "TRACKER_BROKER_URL": "mqtt://127.0.0.1:1",
}


def doctor(data_dir: Path, *names: str, **settings: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "tracker", "doctor", *names],
        env=environment(data_dir, **settings),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_each_thing_that_is_away_is_said_with_its_cure(data_dir: Path) -> None:
    port = free_port()
    done = doctor(
        data_dir,
        TRACKER_DATABASE_URL=f"postgresql://x@127.0.0.1:{port}/x",
        TRACKER_BROKER_URL=f"mqtt://127.0.0.1:{port}",
        TRACKER_SMS=f"http://127.0.0.1:{port}/send",
        TRACKER_MAIL=f"smtp://127.0.0.1:{port}",
    )
    assert done.returncode == 1
    lines = {line.split()[1]: line for line in done.stdout.splitlines()}
    for name in ("database", "postgis", "migrations", "broker", "sms", "mail", "clock"):
        assert lines[name].startswith("WRONG"), lines[name]
        assert " -> " in lines[name]
    assert "TRACKER_SMS" in lines["sms"]
    assert lines["disk"].startswith("ok")


def test_a_database_that_was_not_migrated_is_told_from_one_that_was(
    data_dir: Path, fresh_database: str, shared_postgres: Cluster
) -> None:
    elsewhere = {"TRACKER_BROKER_URL": "mqtt://127.0.0.1:1"}
    migrated = doctor(data_dir, "migrations", TRACKER_DATABASE_URL=fresh_database, **elsewhere)
    assert migrated.returncode == 0, migrated.stdout
    empty = doctor(data_dir, "migrations", TRACKER_DATABASE_URL=shared_postgres.url("postgres"), **elsewhere)
    assert empty.returncode == 1
    assert "run `tracker migrate`" in empty.stdout


def test_a_refused_password_is_not_taken_for_a_broker_that_is_away(
    data_dir: Path, broker: TestBroker, fresh_database: str
) -> None:
    done = doctor(data_dir, "broker", TRACKER_DATABASE_URL=fresh_database, TRACKER_BROKER_URL=broker.url)
    assert done.returncode == 1
    assert "svc-monitor is refused" in done.stdout


def test_a_session_of_ingest_is_never_taken_over(data_dir: Path, broker: TestBroker) -> None:
    lost = threading.Event()
    client = mqtt.Client(CallbackAPIVersion.VERSION2, client_id="svc-ingest-0", protocol=mqtt.MQTTv5)
    client.username_pw_set("svc-ingest-0", broker.password("svc-ingest-0"))
    client.on_disconnect = lambda *_: lost.set()
    client.connect("127.0.0.1", broker.port)
    client.loop_start()
    until(client.is_connected, "a session of ingest")
    settings = {
        "TRACKER_DATABASE_URL": "postgresql://x@127.0.0.1:1/x",
        "TRACKER_BROKER_URL": broker.url_for("svc-ingest-0"),
    }
    done = doctor(data_dir, "broker", **settings)
    assert done.returncode == 0, done.stdout
    assert client.is_connected()
    assert not lost.is_set()
    client.disconnect()
    client.loop_stop()


def test_mail_is_tried_up_to_the_password(data_dir: Path) -> None:
    with mail_sink(data_dir) as sink:
        trusted = {"SSL_CERT_FILE": str(sink.certificate)}
        right = f"smtp://{USER}:{quote(PASSWORD)}@127.0.0.1:{sink.port}"
        done = doctor(
            data_dir, "mail", TRACKER_MAIL=right, TRACKER_MAIL_FROM="a@b.example", **NO_SERVERS, **trusted
        )
        assert done.returncode == 0, done.stdout
        assert "takes letters from a@b.example" in done.stdout
        wrong = f"smtp://{USER}:wrong@127.0.0.1:{sink.port}"
        done = doctor(data_dir, "mail", TRACKER_MAIL=wrong, **NO_SERVERS, **trusted)
        assert done.returncode == 1
        assert "refuses our password: 535" in done.stdout
        assert "wrong@" not in done.stdout


def test_a_password_that_smpp_cannot_carry_is_said(data_dir: Path) -> None:
    done = doctor(data_dir, "sms", TRACKER_SMS="smpp://u:much-too-long@127.0.0.1:1", **NO_SERVERS)
    assert done.returncode == 1
    assert "the password may have 8 ASCII characters" in done.stdout


def test_a_push_key_that_others_can_read_is_said(data_dir: Path) -> None:
    assert doctor(data_dir, "push", **NO_SERVERS).returncode == 0
    key = data_dir / "keys" / "vapid"
    assert key.stat().st_mode & 0o777 == 0o600
    key.chmod(0o644)
    done = doctor(data_dir, "push", **NO_SERVERS)
    assert done.returncode == 1
    assert "chmod 600" in done.stdout


def test_a_check_that_does_not_exist_is_refused(data_dir: Path) -> None:
    done = doctor(data_dir, "weather")
    assert done.returncode == 2
    assert "weather" in done.stderr
