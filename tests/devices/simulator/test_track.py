"""Reading recorded tracks and playing them for ever."""

from itertools import islice, pairwise
from pathlib import Path

import pytest

from devices.simulator.catalogue import TRACKS_DIR
from devices.simulator.track import (
    Fix,
    TrackUnreadable,
    carried_to,
    distance_m,
    moving_part,
    play,
    read_csv,
    read_gpx,
)

LINE = (
    Fix(offset_s=0, lat=60.0, lon=24.0, course_deg=90.0),
    Fix(offset_s=10, lat=60.0, lon=24.001, course_deg=90.0),
    Fix(offset_s=40, lat=60.0, lon=24.002, course_deg=350.0),
)


def places(fixes: object) -> list[tuple[float, float]]:
    return [(fix.lat, fix.lon) for fix in fixes]  # type: ignore[attr-defined]


def test_first_fix_is_played_at_once() -> None:
    assert next(play(LINE, speedup=1, there_and_back=True)).wait_s == 0


def test_only_recorded_places_are_played() -> None:
    played = [step.fix for step in islice(play(LINE, speedup=7, there_and_back=True), 50)]
    assert set(places(played)) == set(places(LINE))


def test_there_and_back_never_jumps() -> None:
    neighbours = {frozenset(pair) for pair in pairwise(places(LINE))}
    played = places([step.fix for step in islice(play(LINE, speedup=1, there_and_back=True), 50)])
    assert all(frozenset(pair) in neighbours for pair in pairwise(played))


def test_there_and_back_repeats_the_recorded_waits_in_mirror_order() -> None:
    waits = [step.wait_s for step in islice(play(LINE, speedup=1, there_and_back=True), 9)]
    assert waits == [0, 10, 30, 30, 10, 10, 30, 30, 10]


def test_way_back_turns_the_courses_round() -> None:
    courses = [step.fix.course_deg for step in islice(play(LINE, speedup=1, there_and_back=True), 5)]
    assert courses == [90, 90, 350, 270, 270]


def test_closed_track_goes_on_with_its_beginning() -> None:
    played = [step.fix for step in islice(play(LINE, speedup=1, there_and_back=False), 7)]
    assert played == [*LINE, *LINE, LINE[0]]


def test_speedup_shortens_the_waits() -> None:
    waits = [step.wait_s for step in islice(play(LINE, speedup=20, there_and_back=False), 3)]
    assert waits == [0, 0.5, 1.5]


def test_start_in_the_middle_continues_from_there() -> None:
    steps = list(islice(play(LINE, speedup=1, there_and_back=True, start_at=0.5), 3))
    assert [step.fix.lon for step in steps] == [24.002, 24.001, 24.0]
    assert [step.wait_s for step in steps] == [0, 30, 10]


def test_moving_part_is_the_longest_stretch_without_a_gap() -> None:
    offsets = [0, 10, 5000, 5010, 5020, 5030, 9000]
    fixes = [Fix(offset_s=offset, lat=50.0, lon=-5.0) for offset in offsets]
    assert [fix.offset_s for fix in moving_part(fixes, longest_gap_s=600)] == [0, 10, 20, 30]


def test_moving_part_of_scattered_fixes_is_no_track() -> None:
    fixes = [Fix(offset_s=offset, lat=50.0, lon=-5.0) for offset in (0, 5000, 10_000)]
    with pytest.raises(TrackUnreadable):
        moving_part(fixes, longest_gap_s=600)


def test_outliers_of_the_study_are_left_out() -> None:
    wrong = {
        line.split(",")[1]
        for line in (TRACKS_DIR / "pets.csv").read_text().splitlines()
        if line.startswith("Beanie,") and line.endswith(",true")
    }
    all_of_it = (TRACKS_DIR / "pets.csv").read_text().count("\nBeanie,")
    assert wrong
    assert len(read_csv(TRACKS_DIR / "pets.csv", only={"subject": "Beanie"})) == all_of_it - len(wrong)


def test_unknown_subject_is_refused() -> None:
    with pytest.raises(TrackUnreadable):
        read_csv(TRACKS_DIR / "pets.csv", only={"subject": "Nobody"})


def test_times_that_step_back_are_not_played(tmp_path: Path) -> None:
    path = tmp_path / "mixed.csv"
    path.write_text("offset_s,lat,lon\n0,60,24\n20,60,24.1\n10,60,24.2\n30,60,24.3\n")
    offsets = [fix.offset_s for fix in read_csv(path)]
    assert offsets == sorted(offsets)
    assert offsets[-1] == 30


def test_gpx_gives_time_and_altitude() -> None:
    fixes = read_gpx(TRACKS_DIR / "cerknicko-jezero.gpx")
    assert len(fixes) > 200
    assert fixes[0].offset_s == 0
    assert fixes[0].altitude_m is not None
    assert all(before.offset_s < after.offset_s for before, after in pairwise(fixes))


def test_a_carried_track_keeps_its_shape_and_size() -> None:
    fixes = moving_part(read_csv(TRACKS_DIR / "pets.csv", only={"subject": "Beanie"}), longest_gap_s=600)
    carried = carried_to(fixes, lat=60.1745, lon=24.9455)
    assert (carried[0].lat, carried[0].lon) == (60.1745, 24.9455)
    for before, after in zip(pairwise(fixes), pairwise(carried), strict=True):
        assert distance_m(*after) == pytest.approx(distance_m(*before), rel=0.01, abs=0.3)
