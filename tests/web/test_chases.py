"""A chase by the API: the disc grows with the silence, and the chase ends."""

from datetime import timedelta

from sqlalchemy import insert

from tests.kit.clock import StandingClock
from tests.web.callers import Household
from tests.web.happenings import Story
from tracker.domain.ids import new_id
from tracker.store.chases import chases
from tracker.web.context import Services


def test_the_disc_grows_with_the_silence_until_the_end(
    home: Household, services: Services, clock: StandingClock
) -> None:
    story = Story(home, services, clock)
    with services.database.begin() as session:
        session.execute(
            insert(chases).values(
                account_id=home.account_id,
                chase_id=new_id(),
                event_id=story.event_id,
                device_id=story.device_id,
                report_every_s=15,
                battery_start_pct=80,
                battery_least_pct=15,
                started_at=clock.now,
                ends_at=clock.now + timedelta(hours=2),
            )
        )
    path = f"/api/v1/chases/{story.event_id}"
    first = home.bearer.get(path)
    assert first.status_code == 200, first.get_data(as_text=True)
    assert first.json["state"] == "running"
    assert first.json["device_id"] == story.device_id
    before = first.json["disc"]["properties"]["radius_m"]
    assert before > first.json["disc"]["properties"]["accuracy_m"]
    clock.go_on(seconds=10)
    grown = home.bearer.get(path).json["disc"]["properties"]["radius_m"] - before
    assert abs(grown - 10 * first.json["speed_mps"]) < 1
    assert grown > 0
    clock.go_on(hours=3)
    ended = home.bearer.get(path).json
    assert ended["state"] == "ended"
    assert ended["disc"]["properties"]["radius_m"] <= 5_000
