"""Files of positions handed in by page and by API."""

import io
import threading
from dataclasses import replace
from pathlib import Path

import pytest

from tests.web.callers import TABLE, Caller, Household, add_device, add_subject, hand_in
from tracker import registry
from tracker.history.import_worker import ImportWorker
from tracker.history.uploads import Uploads
from tracker.web.app import create_app
from tracker.web.context import Services
from tracker.wiring import Services as BuiltServices

IMPORTS = "/api/v1/imports"
RAW = {"Content-Type": "application/octet-stream"}


@pytest.fixture
def device_id(owner: Caller) -> str:
    return add_device(owner, add_subject(owner))


def folder(services: Services) -> Path:
    return services.settings.data_dir / "imports"


def read_all(services: Services) -> None:
    """Read what waits, as `tracker work` does."""
    formats = registry.load("tracker.history.imports", "FORMAT")
    uploads = Uploads(folder(services), formats, limit_bytes=services.settings.import_bytes)
    worker = ImportWorker(services.database, uploads, formats, services.clock, holder="test")
    while worker.step(threading.Event()):
        pass


def test_a_file_becomes_history(owner: Caller, services: Services, device_id: str) -> None:
    import_id = hand_in(owner, device_id)
    waiting = owner.get(f"{IMPORTS}/{import_id}").json
    assert (waiting["state"], waiting["format"], waiting["file_name"]) == ("queued", "csv", "track.csv")
    assert (waiting["size_bytes"], waiting["positions_read"]) == (len(TABLE), 0)
    read_all(services)
    done = owner.get(f"{IMPORTS}/{import_id}").json
    assert (done["state"], done["positions_read"], done["positions_new"]) == ("done", 2, 2)
    assert done["read_bytes"] == done["size_bytes"]
    assert list(folder(services).iterdir()) == []


def test_a_form_with_the_file_does_as_well(owner: Caller, services: Services, device_id: str) -> None:
    form = {"file": (io.BytesIO(TABLE), "tracks/my track.csv")}
    answer = owner.call("POST", f"{IMPORTS}?device_id={device_id}", data=form)
    assert answer.status_code == 201
    assert answer.json["file_name"] == "my track.csv"


def test_the_page_takes_a_file_without_javascript(
    home: Household, owner: Caller, services: Services, device_id: str
) -> None:
    form = {
        "csrf_token": home.cookie.csrf(),
        "device_id": device_id,
        "file": (io.BytesIO(TABLE), "track.csv"),
    }
    assert home.cookie.client.post("/imports", data=form).status_code == 303
    read_all(services)
    page = home.cookie.client.get("/imports").get_data(as_text=True)
    assert "track.csv" in page
    assert "positions: 2, new: 2" in page


def test_a_browser_needs_its_token_and_nothing_is_kept_without(
    home: Household, services: Services, device_id: str
) -> None:
    answer = home.cookie.client.post(f"{IMPORTS}?device_id={device_id}", data=TABLE, headers=RAW)
    assert answer.status_code == 403
    form = {"device_id": device_id, "file": (io.BytesIO(TABLE), "track.csv")}
    assert home.cookie.client.post("/imports", data=form).status_code == 403
    assert not folder(services).exists()


@pytest.mark.parametrize(
    ("data", "message"),
    [(b"", "is empty"), (b"%PDF-1.7 ...", "is of no format that this service reads")],
)
def test_a_wrong_file_is_refused_and_not_kept(
    owner: Caller, services: Services, device_id: str, data: bytes, message: str
) -> None:
    answer = owner.call("POST", f"{IMPORTS}?device_id={device_id}", data=data, headers=RAW)
    assert answer.status_code == 422
    assert answer.json["errors"] == [{"field": "file", "message": message}]
    assert list(folder(services).iterdir()) == []


def test_a_file_beyond_the_limit_is_refused(services: Services, home: Household, device_id: str) -> None:
    assert isinstance(services, BuiltServices)
    settings = services.settings.model_copy(update={"import_bytes": 1000})
    small = create_app(replace(services, settings=settings), provisioning_wait_s=0)
    caller = replace(home.bearer, app=small)
    path = f"{IMPORTS}?device_id={device_id}"
    announced = caller.call("POST", path, data=TABLE * 20, headers=RAW)
    assert announced.status_code == 422
    assert announced.json["errors"][0]["message"] == "is larger than this service takes"
    assert caller.call("POST", path, data=TABLE * 2, headers=RAW).status_code == 201


def test_six_files_at_once_are_too_many(owner: Caller, services: Services, device_id: str) -> None:
    for _ in range(5):
        hand_in(owner, device_id)
    path = f"{IMPORTS}?device_id={device_id}"
    assert owner.call("POST", path, data=TABLE, headers=RAW).status_code == 422
    assert len(list(folder(services).iterdir())) == 5
    read_all(services)
    hand_in(owner, device_id)


def test_a_foreign_device_gets_no_history(owner: Caller, neighbours: Household, services: Services) -> None:
    theirs = add_device(neighbours.bearer, add_subject(neighbours.bearer))
    answer = owner.call("POST", f"{IMPORTS}?device_id={theirs}", data=TABLE, headers=RAW)
    assert answer.status_code == 404
    assert not folder(services).exists()


def test_a_cancelled_import_is_not_read(owner: Caller, services: Services, device_id: str) -> None:
    import_id = hand_in(owner, device_id)
    assert owner.delete(f"{IMPORTS}/{import_id}").status_code == 204
    read_all(services)
    shown = owner.get(f"{IMPORTS}/{import_id}").json
    assert (shown["state"], shown["positions_read"]) == ("cancelled", 0)


def test_imports_are_listed_newest_first_in_pages(owner: Caller, services: Services, device_id: str) -> None:
    ids = {hand_in(owner, device_id) for _ in range(3)}
    first = owner.get(f"{IMPORTS}?limit=2").json
    second = owner.get(f"{IMPORTS}?limit=2&after={first['next']}").json
    assert {each["id"] for each in first["items"] + second["items"]} == ids
    assert second["next"] is None


def test_a_lost_file_is_said_to_be_lost(owner: Caller, services: Services, device_id: str) -> None:
    import_id = hand_in(owner, device_id)
    (folder(services) / import_id).unlink()
    read_all(services)
    shown = owner.get(f"{IMPORTS}/{import_id}").json
    assert (shown["state"], shown["ending"]) == ("failed", "lost")
