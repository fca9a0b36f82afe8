"""What ingest asks of gateways and of the devices behind them."""

from datetime import timedelta

from sqlalchemy import update

from tests.store.family import NOW, House, add_house
from tracker.domain.device import DeviceSettings, SpeedUnit
from tracker.domain.gateway import Gateway, GatewayOwner
from tracker.domain.ids import new_id
from tracker.store import devices, gateways, unclaimed
from tracker.store.access import Access
from tracker.store.session import Session


def add_gateway(session: Session, house: House) -> Gateway:
    gateway = Gateway(
        account_id=house.viewer.account_id,
        gateway_id=new_id(),
        name="Traccar",
        dialect="traccar_forward",
        created_at=NOW,
    )
    gateways.add(session, gateway, mqtt_password_hash="$7$old")
    return gateway


def name_device(session: Session, house: House, external_id: str, **settings: object) -> None:
    devices.change(
        session,
        house.viewer.account_id,
        house.device.device_id,
        name="collar",
        subject_id=house.subject.subject_id,
        external_id=external_id,
        settings=DeviceSettings(**settings),  # type: ignore[arg-type]
    )


def test_a_gateway_s_owner_is_told_until_it_is_revoked(session: Session) -> None:
    house = add_house(session, "+79990000001")
    gateway = add_gateway(session, house)
    owner = GatewayOwner(
        account_id=house.viewer.account_id, gateway_id=gateway.gateway_id, dialect="traccar_forward"
    )
    assert gateways.owned(session, [gateway.gateway_id, new_id()]) == {gateway.gateway_id: owner}
    session.execute(update(gateways.gateways).values(revoked_at=NOW))
    assert gateways.owned(session, [gateway.gateway_id]) == {}
    assert gateways.broker_credentials(session) == []


def test_a_device_is_found_by_its_external_id_in_any_case_and_in_its_account_only(session: Session) -> None:
    house, other = add_house(session, "+79990000001"), add_house(session, "+79990000002")
    name_device(session, house, "A8Ключ", speed_unit=SpeedUnit.KNOTS, codec="lgt92")
    mine, theirs = house.viewer.account_id, other.viewer.account_id
    found = devices.by_external_id(
        session, [(mine, "a8ключ"), (theirs, "a8ключ"), (mine, "unknown"), (mine, ""), (mine, "a\0b")]
    )
    assert list(found) == [(mine, "a8ключ")]
    owned = found[mine, "a8ключ"]
    assert owned.device_id == house.device.device_id
    assert owned.settings == DeviceSettings(speed_unit=SpeedUnit.KNOTS, codec="lgt92")
    assert owned == devices.owned(session, [house.device.device_id])[house.device.device_id]
    assert devices.settings_of(session, [mine, theirs]) == {mine: {"a8ключ": owned.settings}}
    session.execute(update(devices.devices).values(revoked_at=NOW))
    assert devices.by_external_id(session, [(mine, "a8ключ")]) == {}
    assert devices.by_external_id(session, []) == {}


def test_unknown_devices_are_counted_and_bounded(session: Session) -> None:
    house = add_house(session, "+79990000001")
    account_id, origin_id = house.viewer.account_id, new_id()

    def note(name: str, count: int = 1, minutes: int = 0) -> None:
        now = NOW + timedelta(minutes=minutes)
        unclaimed.note(session, account_id, origin_id, name, "tts_v3", count, now)

    note("collar", 2)
    note("collar", 3, minutes=5)
    note("collar", 1, minutes=-5)
    (heard,) = Access(session, house.viewer).unclaimed()
    assert (heard.messages, heard.first_heard_at, heard.last_heard_at - heard.first_heard_at) == (
        6,
        NOW,
        timedelta(minutes=5),
    )
    for number in range(unclaimed.UNCLAIMED_PER_ORIGIN + 5):
        note(f"flood {number}")
    note("collar", 1, minutes=6)
    for impossible in ("", "x" * 129, "a\0b"):
        note(impossible)
    listed = Access(session, house.viewer).unclaimed()
    assert len(listed) == unclaimed.UNCLAIMED_PER_ORIGIN
    assert (listed[0].external_id, listed[0].messages) == ("collar", 7)
    other = add_house(session, "+79990000002")
    assert Access(session, other.viewer).unclaimed() == []


def test_what_was_not_heard_of_for_long_is_forgotten(session: Session) -> None:
    house = add_house(session, "+79990000001")
    unclaimed.note(session, house.viewer.account_id, new_id(), "collar", "tts_v3", 1, NOW)
    unclaimed.forget_old(session, NOW + timedelta(days=29))
    assert len(Access(session, house.viewer).unclaimed()) == 1
    unclaimed.forget_old(session, NOW + timedelta(days=31))
    assert Access(session, house.viewer).unclaimed() == []


def test_only_the_present_password_of_a_gateway_counts_as_provisioned(session: Session) -> None:
    house = add_house(session, "+79990000001")
    gateway = add_gateway(session, house)
    written = gateways.broker_credentials(session)
    gateways.set_password_hash(session, gateway.account_id, gateway.gateway_id, "$7$new")
    gateways.mark_provisioned(session, written, NOW)
    assert gateways.get(session, gateway.account_id, gateway.gateway_id).provisioned_at is None
    gateways.mark_provisioned(session, gateways.broker_credentials(session), NOW)
    assert gateways.get(session, gateway.account_id, gateway.gateway_id).provisioned_at == NOW
