"""A subject's positions as a file."""

import pytest

from tests.history.fixes import read
from tests.web.callers import Household, add_device, add_subject, report
from tracker.web.context import Services

POSITIONS = "/api/v1/positions"
MEDIA = {
    "gpx": "application/gpx+xml",
    "kml": "application/vnd.google-earth.kml+xml",
    "csv": "text/csv; charset=utf-8",
}


@pytest.mark.parametrize("name", MEDIA)
def test_a_file_holds_every_position_of_the_span(name: str, home: Household, services: Services) -> None:
    owner = home.bearer
    subject_id = add_subject(owner, name='Рекс "2"')
    device_id = add_device(owner, subject_id)
    told = [
        report(
            services, home.account_id, subject_id, device_id, minutes_ago=minutes, speed_mps=1.5, trigger="=t"
        )
        for minutes in (3000, 50, 40, 0)
    ]
    since = (told[1].recorded_at).isoformat().replace("+00:00", "Z")
    until = (told[3].recorded_at).isoformat().replace("+00:00", "Z")
    answer = owner.get(f"{POSITIONS}?subject_id={subject_id}&from={since}&to={until}&format={name}")
    assert answer.status_code == 200
    assert answer.content_type == MEDIA[name]
    assert answer.headers["Content-Disposition"].startswith(f'attachment; filename="{subject_id}-')
    assert "filename*=UTF-8''%D0%A0%D0%B5%D0%BA%D1%81" in answer.headers["Content-Disposition"]
    assert read(answer.get_data()) == (told[1:3], [], None)


@pytest.mark.parametrize("name", MEDIA)
def test_a_foreign_subject_is_missing(name: str, home: Household, neighbours: Household) -> None:
    theirs = add_subject(neighbours.bearer)
    assert home.bearer.get(f"{POSITIONS}?subject_id={theirs}&format={name}").status_code == 404


def test_an_empty_span_is_an_empty_file(home: Household, services: Services) -> None:
    subject_id = add_subject(home.bearer)
    answer = home.bearer.get(f"{POSITIONS}?subject_id={subject_id}&format=gpx")
    assert read(answer.get_data()) == ([], [], None)
