"""A device that leaves a subject takes nothing of the subject's history with it."""

import pytest

from tests.geofence.scene import at, walk
from tests.geofence.test_given import AWAY, GIVEN_S, THERE, Town
from tracker.accounts.family import Family, MqttEndpoint
from tracker.store.seal import Sealer
from tracker.store.session import Database


@pytest.fixture
def town(database: Database) -> Town:
    made = Town(database)
    made.furnish()
    return made


def test_what_a_device_told_before_it_left_is_not_taken_back(town: Town) -> None:
    town.home(town.house.subject)
    watch = town.one_more_device()
    town.tell(town.fix(0, 3000.0, watch), town.fix(10, 3000.0, watch))
    town.tell(*walk(town, 20, *AWAY, *THERE))
    town.tell(town.fix(280, 3000.0, watch))
    assert [each[0] for each in town.events()] == ["arrived"]
    family = Family(Sealer("0" * 32), MqttEndpoint(host="mqtt.example", port=1883, tls=False), {})
    with town.database.begin() as session:
        family.change_device(
            session,
            town.house.viewer,
            town.device.device_id,
            name="collar",
            subject_id=town.other.subject_id,
            external_id=None,
            now=at(GIVEN_S),
        )
    # The watch, that stays with the cat, tells late of a moment before the coming.
    town.tell(town.fix(GIVEN_S + 20, 3000.0, watch))
    town.tell(town.fix(15, 3010.0, watch), now=at(GIVEN_S + 30))
    assert town.rows("SELECT type FROM events WHERE retracted_at IS NULL AND superseded_by IS NULL") == [
        ("arrived",)
    ]
