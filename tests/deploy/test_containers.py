import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from tracker import registry
from tracker.cli.doctor import CHECKS, name_of
from tracker.local import mosquitto

ROOT = Path(__file__).parents[2]
OWN = ("migrate", "work", "ingest", "web")


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
    return loaded


def test_every_process_is_there(compose: dict[str, Any]) -> None:
    assert set(compose["services"]) == {"postgres", "mosquitto", *OWN}


@pytest.mark.parametrize("name", OWN)
def test_each_own_service_runs_a_command_that_exists(compose: dict[str, Any], name: str) -> None:
    service = compose["services"][name]
    assert service["command"] == [name]
    assert name in registry.names("tracker.cli")
    check = service.get("healthcheck", {}).get("test", [])
    if check:
        assert check[:3] == ["CMD", "tracker", "doctor"]
        assert set(check[3:]) <= {name_of(each) for each in CHECKS}


def test_every_service_that_stays_has_a_health_check(compose: dict[str, Any]) -> None:
    in_image = "HEALTHCHECK" in (ROOT / "Dockerfile").read_text()
    for name, service in compose["services"].items():
        if name == "migrate":
            continue
        assert "test" in service.get("healthcheck", {}) or (name == "web" and in_image), name


def test_services_wait_for_what_they_need(compose: dict[str, Any]) -> None:
    services = compose["services"]
    assert services["migrate"]["depends_on"]["postgres"]["condition"] == "service_healthy"
    for name in ("work", "ingest", "web"):
        assert services[name]["depends_on"]["migrate"]["condition"] == "service_completed_successfully"
    for name in ("ingest", "web"):
        assert services[name]["depends_on"]["mosquitto"]["condition"] == "service_healthy"


def test_every_volume_is_named_and_every_mounted_file_exists(compose: dict[str, Any]) -> None:
    for name, service in compose["services"].items():
        for mount in service["volumes"]:
            source = mount.split(":")[0]
            if source.startswith("./"):
                assert (ROOT / source).is_file(), f"{name}: {source}"
            else:
                assert source in compose["volumes"], f"{name}: {source}"


def test_secrets_have_no_default() -> None:
    text = (ROOT / "docker-compose.yml").read_text()
    for name in ("POSTGRES_PASSWORD", "DATABASE_PASSWORD", "TRACKER_SECRET_KEY"):
        uses = re.findall(rf"\$\{{{name}(.)", text)
        assert uses, name
        assert set(uses) == {":"}, name
        assert f"${{{name}:-" not in text
        assert f"${{{name}:?" in text


def test_the_image_is_not_run_as_root_and_installs_by_hash() -> None:
    text = (ROOT / "Dockerfile").read_text()
    assert re.findall(r"^USER (\S+)$", text, re.MULTILINE) == ["tracker"]
    assert "--require-hashes -r requirements/runtime.txt" in text


def test_the_image_gets_what_its_build_copies() -> None:
    ignored = (ROOT / ".dockerignore").read_text().splitlines()
    kept = {line[1:] for line in ignored if line.startswith("!")}
    for line in re.findall(r"^COPY (.+)$", (ROOT / "Dockerfile").read_text(), re.MULTILINE):
        for source in line.split()[:-1]:
            assert source.split("/")[0] in kept, source
            assert (ROOT / source).exists(), source


def test_the_containers_broker_has_the_private_brokers_rules() -> None:
    lines = (ROOT / "deploy/mosquitto/mosquitto.conf").read_text().splitlines()
    rules = dict(line.split(" ", 1) for line in lines if line and not line.startswith("#"))
    assert {name: rules.get(name) for name in mosquitto.SETTINGS} == dict(mosquitto.SETTINGS)
    # The folder is shared with another process namespace, where the number means another process.
    assert "pid_file" not in rules


@pytest.mark.parametrize(
    "path",
    [
        "deploy/mosquitto/run.sh",
        "deploy/postgres/20-tracker.sh",
        *(f"script/{name}" for name in ("bootstrap", "server", "test", "lock", "check-fresh")),
        ".ci/run",
    ],
)
def test_shell_scripts_are_posix_and_stop_at_errors(path: str) -> None:
    text = (ROOT / path).read_text()
    assert text.startswith("#!/bin/sh\n")
    assert "\nset -eu\n" in text
    subprocess.run(["sh", "-n", str(ROOT / path)], check=True)
