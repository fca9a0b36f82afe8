import os
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest

from tests.kit.waiting import until
from tracker.domain.errors import Misconfigured
from tracker.local.identity import server_user
from tracker.local.paths import lay_out
from tracker.local.postgres import ROLE, Cluster, cluster, find_programs
from tracker.local.supervise import die_with_parent


@pytest.fixture
def made(data_dir: Path) -> Cluster:
    """A cluster with the product's own settings, not started."""
    fresh = cluster(lay_out(data_dir, (server_user("postgres"),)))
    fresh.make()
    return fresh


@contextmanager
def running(made: Cluster) -> Iterator["subprocess.Popen[bytes]"]:
    """Run a cluster's server for a while."""
    process = made.process({"PATH": os.defpath, "LC_ALL": "C.UTF-8"})
    popen: subprocess.Popen[bytes] = subprocess.Popen(
        list(process.command),
        env=dict(process.environment),
        cwd="/",
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        preexec_fn=die_with_parent(signal.SIGINT),  # noqa: PLW1509  # no threads here
        **made.user.popen_arguments(),  # type: ignore[call-overload]
    )
    try:
        until(made.answers, "PostgreSQL to answer")
        yield popen
    finally:
        if popen.poll() is None:
            popen.send_signal(process.stop_signal)
        popen.wait(timeout=20)


def ask(url: str, question: str) -> object:
    with psycopg.connect(url) as connection:
        row = connection.execute(question.encode()).fetchone()
        assert row is not None
        return row[0]


def test_it_is_reached_by_its_socket_only_with_checksums_postgis_and_a_plain_role(made: Cluster) -> None:
    with running(made):
        made.make_role()
        made.make_role()  # again, as at every start
        assert ask(made.url(), "SHOW data_checksums") == "on"
        assert ask(made.url(), "SHOW listen_addresses") == ""
        assert ask(made.url(), "SHOW server_encoding") == "UTF8"
        assert ask(made.url(), "SHOW fsync") == "on"
        assert str(ask(made.url(), "SELECT postgis_version()")).startswith("3")
        assert ask(made.url(), "SELECT current_user") == ROLE
        assert ask(made.url(), "SELECT rolsuper OR rolcreaterole FROM pg_roles WHERE rolname = user") is False
        with pytest.raises(psycopg.errors.InsufficientPrivilege), psycopg.connect(made.url()) as connection:
            connection.execute("CREATE EXTENSION file_fdw")
    assert made.socket_dir.stat().st_mode & 0o777 == 0o700


def test_another_user_of_the_machine_is_refused(made: Cluster) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root can become another user")
    with running(made):
        made.make_role()
        made.socket_dir.chmod(0o777)  # even if the folder were open
        made.home.chmod(0o711)
        (made.socket_dir / ".s.PGSQL.5432").chmod(0o777)
        done = subprocess.run(
            [made.programs.path("psql"), "-h", str(made.socket_dir), "-U", ROLE, "-c", "SELECT 1"],
            user="nobody",
            group="nogroup",
            extra_groups=[],
            cwd="/",
            capture_output=True,
            text=True,
            check=False,
        )
    assert "Peer authentication failed" in done.stderr


def test_what_was_committed_survives_a_kill(made: Cluster) -> None:
    with running(made) as popen:
        made.make_role()
        with psycopg.connect(made.url()) as connection:
            connection.execute("CREATE TABLE kept (number int)")
            connection.execute("INSERT INTO kept VALUES (7)")
        popen.kill()
    with running(made):
        assert ask(made.url(), "SELECT number FROM kept") == 7


def test_a_set_up_that_was_cut_short_is_begun_anew(data_dir: Path) -> None:
    fresh = cluster(lay_out(data_dir, (server_user("postgres"),)))
    half = fresh.home / "data.new"
    half.mkdir()
    (half / "PG_VERSION").write_text("15\n")
    assert not fresh.exists()
    fresh.make()
    assert fresh.exists()
    assert not half.exists()


def test_the_operators_own_settings_win_and_stay(made: Cluster) -> None:
    local = made.data / "local.conf"
    local.write_text("max_connections = 33\n")
    made.make()
    with running(made):
        assert ask(made.url("postgres", "postgres"), "SHOW max_connections") == "33"


def test_a_failed_statement_leaves_no_values_in_the_log(made: Cluster) -> None:
    text = (made.data / "postgresql.conf").read_text()
    assert "log_min_error_statement = panic" in text
    assert "log_error_verbosity = terse" in text


def test_a_machine_without_postgis_is_told_what_to_install(tmp_path: Path) -> None:
    (tmp_path / "usr/lib/postgresql/15/bin").mkdir(parents=True)
    (tmp_path / "usr/lib/postgresql/15/bin/initdb").touch()
    with pytest.raises(Misconfigured, match="install postgresql-postgis"):
        find_programs(root=tmp_path)


def test_the_newest_postgresql_that_has_postgis_is_taken(tmp_path: Path) -> None:
    for version, with_postgis in (("9", True), ("15", True), ("17", False)):
        (tmp_path / f"usr/lib/postgresql/{version}/bin").mkdir(parents=True)
        (tmp_path / f"usr/lib/postgresql/{version}/bin/initdb").touch()
        extension = tmp_path / f"usr/share/postgresql/{version}/extension"
        extension.mkdir(parents=True)
        if with_postgis:
            (extension / "postgis.control").touch()
    assert find_programs(root=tmp_path).version == "15"
    assert find_programs("9", root=tmp_path).version == "9"
    with pytest.raises(Misconfigured, match="PostgreSQL 14, which made this data folder"):
        find_programs("14", root=tmp_path)


def test_no_port_of_the_machine_is_taken(made: Cluster) -> None:
    with running(made) as popen:
        found = set()
        for table in ("tcp", "tcp6"):
            for line in Path(f"/proc/{popen.pid}/net/{table}").read_text().splitlines()[1:]:
                found.add(line.split()[9])
        mine = {
            link.readlink().name.removeprefix("socket:[").removesuffix("]")
            for link in Path(f"/proc/{popen.pid}/fd").iterdir()
            if str(link.readlink()).startswith("socket:")
        }
        assert not found & mine
