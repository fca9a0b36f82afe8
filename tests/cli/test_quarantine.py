"""`tracker quarantine`: counts without content, and messages tried again."""

from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from tests.store.family import NOW, House, add_house
from tracker.cli.main import tracker
from tracker.domain.errors import Reason
from tracker.store import quarantine, refusals
from tracker.store.seal import Sealer
from tracker.store.session import Database


@pytest.fixture
def house(database: Database) -> House:
    """An account with two refused messages."""
    sealer = Sealer("a secret of thirty-two characters")
    with database.begin() as session:
        made = add_house(session, "+79161234567")
        for reason in (Reason.NOT_JSON, Reason.NO_TIME):
            quarantine.put(
                session,
                sealer,
                account_id=made.viewer.account_id,
                device_id=made.device.device_id,
                reason=reason,
                detail="",
                topic="t",
                payload=b"60.17042",
                received_at=NOW,
                dialect="native",
            )
    return made


def run(monkeypatch: pytest.MonkeyPatch, url: str, data_dir: Path, *arguments: str) -> Result:
    monkeypatch.setenv("TRACKER_DATABASE_URL", url)
    monkeypatch.setenv("TRACKER_DATA_DIR", str(data_dir))
    return CliRunner().invoke(tracker, ["quarantine", *arguments])


@pytest.mark.usefixtures("house")
def test_the_list_counts_by_reason_and_dialect_and_shows_no_content(
    monkeypatch: pytest.MonkeyPatch, fresh_database: str, data_dir: Path
) -> None:
    answer = run(monkeypatch, fresh_database, data_dir, "list")
    assert answer.exit_code == 0, answer.output
    for text in ("not_json", "no_time", "native", "2  in all"):
        assert text in answer.output
    assert "60.17042" not in answer.output


def test_only_what_was_named_is_tried_again(
    monkeypatch: pytest.MonkeyPatch, fresh_database: str, data_dir: Path, house: House, database: Database
) -> None:
    answer = run(monkeypatch, fresh_database, data_dir, "replay", "--reason", "no_time")
    assert answer.output.startswith("1 message(s) will be tried again")
    with database.begin() as session:
        waiting = {
            each.reason: each.replay_asked_at is not None
            for each in refusals.of_account(session, house.viewer.account_id)
        }
    assert waiting == {Reason.NOT_JSON: False, Reason.NO_TIME: True}


@pytest.mark.parametrize("arguments", [(), ("--device", "x"), ("--account", "0" * 16)])
def test_a_replay_of_everything_or_of_no_id_is_refused(
    monkeypatch: pytest.MonkeyPatch, fresh_database: str, data_dir: Path, arguments: tuple[str, ...]
) -> None:
    answer = run(monkeypatch, fresh_database, data_dir, "replay", *arguments)
    assert answer.exit_code == 1
    assert "will be tried again" not in answer.output
