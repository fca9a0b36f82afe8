"""The first fix tells where a device is, and says so; it does not tell that it came."""

from tests.geofence.engine.script import HOME, OWNER, START_S, at, circle, folded, home, played, told
from tracker.domain.crossing import How, Phase
from tracker.geofence.engine import Fences, Term, replay


def test_first_sure_fix_places_without_arriving() -> None:
    assert told(folded("0 0\n60 5").crossings) == ["in first at=0 decided=0 earliest=0"]


def test_poor_first_fix_leaves_unknown_where_it_is() -> None:
    fold = folded("0 90 60")

    assert fold.crossings == ()
    assert fold.points.live.fences[HOME].phase is Phase.UNKNOWN


def test_place_is_known_from_the_first_sure_fix_after_poor_ones() -> None:
    assert told(folded("0 90 60\n30 90 60\n60 10").crossings) == ["in first at=60 decided=60 earliest=60"]


def test_device_that_was_never_near_is_out_and_arrives() -> None:
    assert played("0 5000\n600 10\n660 10") == ["in confirmed at=600 decided=660 earliest=0"]


def test_fence_made_around_a_device_tells_no_arrival() -> None:
    crossings = folded("0 0\n60 0\n120 0", home(from_s=90)).crossings

    assert told(crossings) == ["in first at=120 decided=120 earliest=120"]


def test_device_known_to_be_elsewhere_when_the_fence_was_made_arrives() -> None:
    assert played("0 900\n60 900\n120 0\n180 0", home(from_s=90)) == [
        "in confirmed at=120 decided=180 earliest=60"
    ]


def test_what_was_before_a_fence_was_made_crosses_nothing() -> None:
    assert played("0 900\n60 0\n120 0\n180 900\n240 900", home(from_s=200)) == []


def test_fence_that_is_over_is_not_left() -> None:
    fences = Fences([circle()], {HOME: Term(until_s=START_S + 90)})
    fold = folded("0 0\n60 0\n120 900\n180 900", fences, until=5000)

    assert [crossing.how for crossing in fold.crossings] == [How.FIRST]
    assert fold.points.live.fences == {}


def test_fence_drawn_anew_tells_where_the_device_is_and_no_crossing() -> None:
    before = folded("0 0\n60 0").points
    fences = Fences([circle(version=2, north_m=5000)], {HOME: Term(START_S + 70)})

    fold = replay(before, fences, [at(120, 0, 6000), at(180, 0), at(240, 0)], OWNER)

    assert told(fold.crossings) == ["out redrawn at=180 decided=180 earliest=180"]
