"""Gateways, sources and what they speak of."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pytest
from sqlalchemy import text

from tests.accounts.conftest import MQTT
from tests.accounts.door import Door
from tracker.accounts.family import Family
from tracker.accounts.gateways import Gateways
from tracker.domain.access import Viewer
from tracker.domain.broker_password import matches
from tracker.domain.errors import Invalid, NotFound, Reason
from tracker.domain.ids import new_id
from tracker.domain.source import Source, SourceDetail, SourceLogin, SourceState
from tracker.domain.subject import SubjectKind
from tracker.store import gateways, quarantine, sources, unclaimed
from tracker.store.access import Access
from tracker.store.seal import Sealer

TOPICS: Mapping[str, tuple[str, ...]] = {
    "ovms": ("ovms/#",),
    "traccar_forward": ("traccar/+/position", "traccar/+/event"),
    "osmand": (),
}


@dataclass
class Yard:
    """Adds gateways and sources with little typing."""

    door: Door
    gateways: Gateways
    family: Family
    viewer: Viewer
    sealer: Sealer

    def source(self, viewer: Viewer | None = None, **given: Any) -> Source:
        fields = {
            "name": "car",
            "dialect": "ovms",
            "url": "mqtts://ovms.example",
            "username": "anna",
            "password": "s3cret",
        }
        return self.gateways.add_source(
            self.door.session, viewer or self.viewer, **{**fields, **given}, now=self.door.clock()
        )

    def change(self, source: Source, viewer: Viewer | None = None, **given: Any) -> Source:
        return self.gateways.change_source(
            self.door.session, viewer or self.viewer, source.source_id, **given, now=self.door.clock()
        )

    def login(self, source: Source) -> SourceLogin:
        served = sources.get(self.door.session, source.account_id, source.source_id)
        return sources.open_login(self.sealer, served)

    def subject_id(self, viewer: Viewer | None = None) -> str:
        return self.family.add_subject(
            self.door.session, viewer or self.viewer, kind=SubjectKind.PET, name="Rex", now=self.door.clock()
        ).subject_id

    def heard(self, origin_id: str, external_id: str, dialect: str = "traccar_forward") -> None:
        session, account_id = self.door.session, self.viewer.account_id
        unclaimed.note(session, account_id, origin_id, external_id, dialect, 1, self.door.clock())
        quarantine.put(
            session,
            self.sealer,
            account_id=account_id,
            device_id=None,
            reason=Reason.UNKNOWN_DEVICE,
            detail="",
            topic="traccar",
            payload=b"{}",
            received_at=self.door.clock(),
            origin_id=origin_id,
            external_id=external_id,
        )

    def fill_the_list(self, origin_id: str) -> None:
        for n in range(unclaimed.UNCLAIMED_PER_ORIGIN):
            now = self.door.clock()
            unclaimed.note(self.door.session, self.viewer.account_id, origin_id, f"node-{n}", "ovms", 1, now)

    def adopt(self, origin_id: str, external_id: str, viewer: Viewer | None = None, **given: Any) -> Any:
        subject = {"subject_id": given.pop("subject_id", None) or self.subject_id(viewer)}
        return self.gateways.adopt(
            self.door.session,
            viewer or self.viewer,
            origin_id=origin_id,
            external_id=external_id,
            **subject,
            **given,
            now=self.door.clock(),
        )


@pytest.fixture
def yard(door: Door, sealer: Sealer, family: Family, viewer: Viewer) -> Yard:
    made = Gateways(sealer, MQTT, family, TOPICS, private_sources=False)
    return Yard(door, made, family, viewer, sealer)


def test_a_gateway_gets_one_credential_and_a_topic_of_its_own(yard: Yard) -> None:
    session, now = yard.door.session, yard.door.clock()
    gateway, mqtt = yard.gateways.add_gateway(
        session, yard.viewer, name=" Traccar ", dialect="traccar_forward", now=now
    )
    assert Access(session, yard.viewer).gateways() == [gateway]
    assert gateway.name == "Traccar"
    assert mqtt.username == mqtt.client_id == gateway.gateway_id
    assert len(mqtt.password) == 26  # of 32 values: 128 bits; a Meshtastic node keeps 31
    assert mqtt.topics == (f"gateway/{gateway.gateway_id[0]}/{gateway.gateway_id}/#",)
    ((_, stored),) = gateways.broker_credentials(session)
    assert matches(mqtt.password, stored)
    renewed = yard.gateways.rotate_gateway(session, yard.viewer, gateway.gateway_id, now=now)
    ((_, stored),) = gateways.broker_credentials(session)
    assert matches(renewed.password, stored)
    assert not matches(mqtt.password, stored)
    yard.heard(gateway.gateway_id, "862095050000000")
    yard.gateways.remove_gateway(session, yard.viewer, gateway.gateway_id, now=now)
    assert gateways.broker_credentials(session) == []
    assert Access(session, yard.viewer).unclaimed() == []


def test_p06_another_family_s_gateway_and_source_do_not_exist(yard: Yard, stranger: Viewer) -> None:
    session, now = yard.door.session, yard.door.clock()
    gateway, _ = yard.gateways.add_gateway(session, yard.viewer, name="x", dialect="ovms", now=now)
    source = yard.source()
    yard.heard(gateway.gateway_id, "collar")
    for forbidden in (
        lambda: yard.gateways.rename_gateway(session, stranger, gateway.gateway_id, name="y", now=now),
        lambda: yard.gateways.rotate_gateway(session, stranger, gateway.gateway_id, now=now),
        lambda: yard.gateways.remove_gateway(session, stranger, gateway.gateway_id, now=now),
        lambda: yard.change(source, stranger, name="y"),
        lambda: yard.gateways.remove_source(session, stranger, source.source_id, now=now),
        lambda: yard.adopt(gateway.gateway_id, "collar", stranger),
        lambda: yard.adopt(gateway.gateway_id, "collar", subject_id=yard.subject_id(stranger)),
    ):
        with pytest.raises(NotFound):
            forbidden()
    assert Access(session, stranger).gateways() == []
    assert Access(session, stranger).sources() == []
    assert Access(session, yard.viewer).sources() == [source]


def test_there_are_at_most_twenty_of_each(yard: Yard) -> None:
    session, now = yard.door.session, yard.door.clock()
    for _ in range(20):
        yard.source()
        yard.gateways.add_gateway(session, yard.viewer, name="x", dialect="ovms", now=now)
    with pytest.raises(Invalid, match="name"):
        yard.source()
    with pytest.raises(Invalid, match="name"):
        yard.gateways.add_gateway(session, yard.viewer, name="x", dialect="ovms", now=now)


def test_a_source_waits_with_its_dialect_s_topics_and_a_sealed_sign_in(yard: Yard) -> None:
    source = yard.source()
    assert (source.url, source.topics) == ("mqtts://ovms.example:8883", ("ovms/#",))
    assert (source.state, source.detail) == (SourceState.WAITING, SourceDetail.NONE)
    assert Access(yard.door.session, yard.viewer).source(source.source_id) == source
    assert yard.login(source) == SourceLogin(username="anna", password="s3cret")
    rows = yard.door.session.execute(text("SELECT s::text FROM sources AS s")).scalars().all()
    assert not any("s3cret" in row or "anna" in row for row in rows)
    nobody = yard.source(username="", password="")
    assert not nobody.has_credentials
    assert yard.login(nobody) == SourceLogin(username="", password="")


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"name": ""}, "name"),
        ({"dialect": "native"}, "dialect"),
        ({"url": "http://ovms.example"}, "url"),
        ({"url": "mqtt://anna:s3cret@ovms.example"}, "url"),
        ({"url": "mqtt://127.0.0.1"}, "url"),
        ({"url": "mqtt://[::1]:1883"}, "url"),
        ({"url": "mqtt://nas.local"}, "url"),
        ({"username": "", "password": "x"}, "username"),
        ({"username": "x" * 1025}, "username"),
        ({"password": "x" * 1025}, "password"),
        ({"dialect": "osmand"}, "topics"),
        ({"topics": [f"t/{number}" for number in range(31)]}, "topics"),
        *(
            ({"topics": [wrong]}, "topics")
            for wrong in ("", "a#", "#/a", "a+", "+a/b", "$SYS/#", "$share/x/a", "a\0", "a\nb", "x" * 257)
        ),
    ],
)
def test_a_wrong_field_of_a_source_is_named(yard: Yard, given: dict[str, Any], field: str) -> None:
    with pytest.raises(Invalid) as refused:
        yard.source(**given)
    assert refused.value.errors[0][0] == field


def test_a_deployment_may_allow_private_addresses(yard: Yard) -> None:
    at_home = Gateways(yard.sealer, MQTT, yard.family, TOPICS, private_sources=True)
    yard.gateways = at_home
    assert yard.source(url="mqtt://192.168.1.10").url == "mqtt://192.168.1.10:1883"


def test_a_changed_source_is_connected_to_anew_and_keeps_what_is_not_given(yard: Yard) -> None:
    source = yard.source()
    sources.lease(yard.door.session, "me", most=5, now=yard.door.clock())
    sources.note_state(
        yard.door.session,
        "me",
        source.source_id,
        SourceState.REFUSED,
        SourceDetail.LOGIN_REFUSED,
        yard.door.clock(),
    )
    changed = yard.change(source, topics=["ovms/anna/#", "ovms/anna/#", "+/x"])
    assert changed.topics == ("ovms/anna/#", "+/x")
    assert (changed.name, changed.url, changed.state) == ("car", source.url, SourceState.WAITING)
    assert yard.login(source).password == "s3cret"
    assert yard.change(source, topics=[]).topics == ("ovms/#",)
    paused = yard.change(source, paused=True)
    assert (paused.paused, paused.detail) == (True, SourceDetail.PAUSED)
    assert sources.lease(yard.door.session, "me", most=5, now=yard.door.clock()) == []
    assert yard.change(source, name="van").paused


def test_a_sign_in_does_not_follow_a_source_to_another_address(yard: Yard) -> None:
    source = yard.source()
    with pytest.raises(Invalid, match="password"):
        yard.change(source, url="mqtts://elsewhere.example")
    assert yard.change(source, url="mqtts://ovms.example:8883/").url == source.url
    login = SourceLogin(username="bob", password="new")
    moved = yard.change(source, url="mqtts://elsewhere.example", username="bob", password="new")
    assert (moved.url, yard.login(source)) == ("mqtts://elsewhere.example:8883", login)
    free = yard.change(source, username="", password="")
    assert not free.has_credentials


@pytest.mark.parametrize(
    ("given", "named"),
    [
        ({"username": "bob"}, "password"),
        ({"username": ""}, "password"),
        ({"password": "new"}, "username"),
        ({"password": ""}, "username"),
    ],
)
def test_half_a_sign_in_does_not_wipe_the_other_half(yard: Yard, given: dict[str, Any], named: str) -> None:
    source = yard.source()
    with pytest.raises(Invalid) as refused:
        yard.change(source, **given)
    assert [field for field, _ in refused.value.errors] == [named]
    assert yard.login(source) == SourceLogin(username="anna", password="s3cret")


def test_an_adopted_device_gets_what_was_said_of_it_before(yard: Yard) -> None:
    session, now = yard.door.session, yard.door.clock()
    gateway, _ = yard.gateways.add_gateway(session, yard.viewer, name="x", dialect="traccar_forward", now=now)
    yard.heard(gateway.gateway_id, "IMEI 86A")
    yard.heard(gateway.gateway_id, "imei 86a")
    yard.heard(gateway.gateway_id, "other")
    device = yard.adopt(gateway.gateway_id, "IMEI 86A", name="van")
    assert (device.name, device.external_id, device.dialect) == ("van", "IMEI 86A", "traccar_forward")
    assert [each.external_id for each in Access(session, yard.viewer).unclaimed()] == ["other"]
    replays = quarantine.take_replays(session, yard.sealer, 10, now)
    assert len(replays) == 2
    with pytest.raises(NotFound):
        yard.adopt(gateway.gateway_id, "IMEI 86A")
    assert yard.adopt(gateway.gateway_id, "other").name == "other"


def test_a_name_given_by_hand_is_adopted_too(yard: Yard) -> None:
    session, now = yard.door.session, yard.door.clock()
    origin_id = new_id()
    yard.heard(origin_id, "collar-1")
    device, _ = yard.family.add_device(
        session,
        yard.viewer,
        subject_id=yard.subject_id(),
        name="collar",
        dialect="ovms",
        external_id=None,
        payload_key=None,
        now=now,
    )
    yard.family.change_device(
        session,
        yard.viewer,
        device.device_id,
        name="collar",
        subject_id=device.subject_id,
        external_id="Collar-1",
        now=now,
    )
    assert Access(session, yard.viewer).unclaimed() == []
    assert len(quarantine.take_replays(session, yard.sealer, 10, now)) == 1


def test_a_name_for_which_the_list_had_no_room_is_given_what_was_said_of_it(yard: Yard) -> None:
    session, now = yard.door.session, yard.door.clock()
    origin_id = new_id()
    yard.fill_the_list(origin_id)
    yard.heard(origin_id, "collar-1")
    assert unclaimed.called(session, yard.viewer.account_id, "collar-1") == []
    yard.family.add_device(
        session,
        yard.viewer,
        subject_id=yard.subject_id(),
        name="collar",
        dialect="ovms",
        external_id="Collar-1",
        payload_key=None,
        now=now,
    )
    assert len(quarantine.take_replays(session, yard.sealer, 10, now)) == 1
