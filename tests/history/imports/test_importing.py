"""An import is exact, whatever interrupts it."""

from dataclasses import replace
from datetime import timedelta

import pytest

from tests.history.fixes import many, written
from tests.history.imports.houses import HOLDER, Home, settle
from tests.store.family import NOW, append
from tracker.domain.position import FUTURE_TOLERANCE
from tracker.history import importing
from tracker.store import devices, imports
from tracker.store.imports import ImportState, Superseded
from tracker.store.positions import LIVE_CHANNEL
from tracker.store.session import Database


@pytest.fixture
def home(database: Database) -> Home:
    return settle(database)


def test_every_position_of_a_file_is_stored_once(home: Home) -> None:
    track = many(4100)
    done = home.bring_in(written("gpx", track))
    assert home.moments() == [each.recorded_at for each in track]
    assert (done.state, done.positions_read, done.positions_new, done.refused) == ("done", 4100, 4100, 0)
    assert done.read_bytes == done.size_bytes


def test_the_same_file_again_adds_nothing(home: Home) -> None:
    file = written("csv", many(50))
    home.bring_in(file)
    again = home.bring_in(file)
    assert (again.positions_read, again.positions_new) == (50, 0)
    assert len(home.moments()) == 50


@pytest.mark.parametrize("order", ["as recorded", "newest first", "shuffled"])
def test_an_interrupted_import_goes_on_to_the_same_end(home: Home, order: str) -> None:
    track = many(3 * importing.BATCH)
    turned = {"as recorded": track, "newest first": track[::-1], "shuffled": track[1::2] + track[::2]}[order]
    file = written("geojson", turned)
    asked = home.ask(file)
    stopped = home.reading(asked, file).run(stopped=lambda: True)
    assert stopped.state is ImportState.READING
    assert stopped.records == importing.BATCH
    done = home.reading(home.row(asked), file).run()
    assert (done.positions_read, done.positions_new) == (len(track), len(track))
    assert home.moments() == [each.recorded_at for each in track]


def test_a_reader_that_died_between_two_commits_loses_and_doubles_nothing(home: Home) -> None:
    track = many(2 * importing.BATCH)
    file = written("csv", track)
    asked = home.ask(file)

    def die(_: object) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        home.reading(asked, file, heard=die).run()
    done = home.reading(home.row(asked), file).run()
    assert (done.positions_read, done.positions_new, len(home.moments())) == (len(track),) * 3


def test_history_never_moves_the_live_state_backwards(home: Home) -> None:
    with home.database.begin() as session:
        append(session, home.house.fix(NOW))
    home.bring_in(written("gpx", many(10)))
    assert home.last() == NOW


def test_a_device_that_never_reported_gets_the_newest_position_of_the_file(home: Home) -> None:
    track = many(10)
    home.bring_in(written("gpx", track[5:] + track[:5]))
    assert home.last() == track[-1].recorded_at


def test_the_live_map_hears_of_an_import_once(home: Home) -> None:
    listener = home.database.listen(LIVE_CHANNEL)
    home.bring_in(written("gpx", many(2 * importing.BATCH + 5)))
    assert len(listener.wait(1.0) + listener.wait(0.1)) == 1
    listener.close()


def test_what_cannot_be_true_is_counted_and_the_rest_goes_on(home: Home) -> None:
    early, late = many(2)
    old = early._replace(recorded_at=early.recorded_at.replace(year=1999))
    ahead = early._replace(recorded_at=NOW + FUTURE_TOLERANCE + timedelta(minutes=1))
    done = home.bring_in(written("csv", [early, old, ahead, late]))
    assert (done.positions_new, done.refused) == (2, 2)
    assert done.detail["reasons"] == {"too_old": 1, "in_future": 1}
    assert done.detail["first"] == [[2, "too_old"], [3, "in_future"]]


def test_a_file_that_breaks_off_brings_what_is_whole_and_says_so(home: Home) -> None:
    file = written("gpx", many(20))
    done = home.bring_in(file[: len(file) * 3 // 4])
    assert done.state is ImportState.DONE
    assert 10 <= done.positions_new < 20
    assert done.detail["ending"] == "cut_short"


def test_a_file_of_which_nothing_can_be_read_has_failed(home: Home) -> None:
    done = home.bring_in(b'<gpx version="1.1"><trk><trkseg><trkpt lat=')
    assert done.state is ImportState.FAILED
    assert home.row(done).detail == {"ending": "cut_short"}


def test_a_cancelled_import_stops_and_keeps_what_was_read(home: Home) -> None:
    file = written("csv", many(3 * importing.BATCH))
    asked = home.ask(file)

    def cancel(_: object) -> None:
        with home.database.begin() as session:
            imports.cancel(session, asked.account_id, asked.import_id, NOW)

    with pytest.raises(Superseded):
        home.reading(asked, file, heard=cancel).run()
    assert home.row(asked).state is ImportState.CANCELLED
    assert 0 < len(home.moments()) <= importing.BATCH


def test_of_two_readers_of_one_import_one_gives_way(home: Home) -> None:
    file = written("csv", many(2 * importing.BATCH))
    asked = home.ask(file)

    def overtake(progress: imports.Import) -> None:
        if progress.records == importing.BATCH and home.row(asked).records == progress.records:
            home.reading(home.row(asked), file).run()

    with pytest.raises(Superseded):
        home.reading(asked, file, heard=overtake).run()
    assert (home.row(asked).state, home.row(asked).positions_new) == ("done", 2 * importing.BATCH)


def test_a_removed_device_ends_its_import(home: Home) -> None:
    file = written("csv", many(2 * importing.BATCH))
    asked = home.ask(file)

    def remove(_: object) -> None:
        with home.database.begin() as session:
            devices.remove(session, asked.account_id, asked.device_id)

    with pytest.raises(Superseded):
        home.reading(asked, file, heard=remove).run()


def test_the_weeks_of_one_file_are_bounded(home: Home) -> None:
    weeks = [
        each._replace(recorded_at=each.recorded_at + timedelta(weeks=at)) for at, each in enumerate(many(4))
    ]
    file = written("csv", weeks)
    done = home.reading(home.ask(file), file, most_weeks=2).run()
    assert (done.positions_new, done.detail["reasons"]) == (2, {"too_many_weeks": 2})


def test_an_import_that_waits_is_claimed_once(home: Home) -> None:
    with home.database.begin() as session:
        waiting = replace(home.ask(written("csv", many(1)), holder=HOLDER), state=ImportState.QUEUED)
        imports.add(session, replace(waiting, import_id="1" * 16))
    with home.database.begin() as session:
        claimed = imports.claim(session, "one", NOW)
        assert claimed is not None
        assert claimed.state is ImportState.READING
    with home.database.begin() as session:
        first = imports.claim(session, "two", NOW)
        assert first is None or first.import_id != claimed.import_id
    with home.database.begin() as session:
        later = imports.claim(session, "two", NOW + timedelta(minutes=2))
        assert later is not None
