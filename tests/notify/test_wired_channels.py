"""The channels as the process `work` gets them: a receipt of an SMSC ends in the ledger."""

from collections.abc import Callable
from pathlib import Path

from tests.kit.smsc import smsc
from tests.kit.waiting import until
from tests.notify.house import House
from tests.notify.worker import SECRET
from tracker import wiring
from tracker.settings import Settings


def test_the_key_for_pushes_is_made_once_and_is_its_owners_alone(
    data_dir: Path, settings_for: Callable[..., Settings]
) -> None:
    settings = settings_for(data_dir)
    first = wiring.vapid_key(settings)
    path = data_dir / "keys" / "vapid"
    assert path.stat().st_mode & 0o777 == 0o600
    assert wiring.vapid_key(settings).public == first.public


def test_an_alert_goes_out_by_smpp_and_its_receipt_is_in_the_ledger(
    data_dir: Path,
    tmp_path: Path,
    settings_for: Callable[..., Settings],
    fresh_database: str,
    house: House,
) -> None:
    house.change_owner(phone="+79161234500")
    alert_id = house.happen(house.add_rule(channels=("sms",)))
    while house.alerting.decide(house.clock()):
        pass
    with smsc(tmp_path) as center:
        settings = settings_for(
            data_dir,
            database_url=fresh_database,
            sms=center.url,
            secret_key=SECRET,
            broker_url="mqtt://127.0.0.1:1",
        )
        assert wiring.dispatcher(settings).drain(house.clock()) == 1
        assert "Masha" in center.text_to("79161234500")
        until(lambda: house.states(alert_id) == {"sms": "delivered"}, "the receipt in the ledger")
