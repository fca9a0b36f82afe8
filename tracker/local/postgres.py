"""The private PostgreSQL/PostGIS cluster: reached by its socket only, with checksums, one plain role for us.

The operating system's user is the only credential (`peer`): the socket's folder is closed to everybody else.
"""

import getpass
import os
import shutil
import signal
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote

import psycopg
from psycopg import sql

from tracker.domain.errors import Misconfigured
from tracker.local.identity import ServerUser, find_program, server_user
from tracker.local.paths import Layout, socket_folder
from tracker.local.supervise import Process

ROLE = "tracker"
DATABASE = "tracker"
SUPERUSER = "postgres"

SETTINGS: Mapping[str, str] = {
    "listen_addresses": "''",
    "unix_socket_permissions": "0700",
    "max_connections": "200",
    "shared_buffers": "128MB",
    "wal_compression": "on",
    "max_wal_size": "2GB",
    "random_page_cost": "1.1",
    "jit": "off",
    "timezone": "'UTC'",
    "log_timezone": "'UTC'",
    "lc_messages": "'C'",
    "log_line_prefix": "''",
    "log_min_messages": "warning",
    "log_checkpoints": "off",
    "log_autovacuum_min_duration": "-1",
    # A failed statement and its row would bring coordinates and phone numbers into the log.
    "log_error_verbosity": "terse",
    "log_min_error_statement": "panic",
}
"""The whole of postgresql.conf; what an operator adds goes to `local.conf` beside it and wins."""


@dataclass(frozen=True)
class Programs:
    """The server's programs of one PostgreSQL version."""

    folder: Path
    version: str

    def path(self, name: str) -> str:
        """Return the full path of a program such as `initdb`."""
        return str(self.folder / name)


def find_programs(version: str | None = None, root: Path = Path("/")) -> Programs:
    """Return the newest PostgreSQL that has PostGIS, or exactly `version` (a major number) if given.

    Raises:
        Misconfigured: there is none.
    """
    found: list[tuple[int, Programs]] = []
    for folder in (root / "usr/lib/postgresql").glob("*/bin"):
        major = folder.parent.name
        control = root / "usr/share/postgresql" / major / "extension" / "postgis.control"
        if major.isdigit() and control.exists() and (folder / "initdb").exists():
            found.append((int(major), Programs(folder, major)))
    initdb = find_program("initdb")
    if not found and initdb and root == Path("/"):
        printed = subprocess.run(
            [str(initdb), "--version"], capture_output=True, text=True, check=True
        ).stdout
        major = printed.split()[-1].split(".")[0]
        if major.isdigit():
            found.append((int(major), Programs(initdb.parent, major)))
    for _, programs in sorted(found, key=lambda each: each[0], reverse=True):
        if version in {None, programs.version}:
            return programs
    wanted = f"PostgreSQL {version}, which made this data folder," if version else "PostgreSQL"
    raise Misconfigured(f"{wanted} with PostGIS is missing: run script/server, or install postgresql-postgis")


@dataclass(frozen=True)
class Cluster:
    """One cluster below `home`: `home/data` holds it, the socket lies in `socket_dir`."""

    home: Path
    socket_dir: Path
    user: ServerUser
    programs: Programs
    extra: Mapping[str, str] = field(default_factory=dict)
    """Settings added to `SETTINGS`, in postgresql.conf's syntax."""

    @property
    def data(self) -> Path:
        """The folder that PostgreSQL itself calls its data directory."""
        return self.home / "data"

    def url(self, database: str = DATABASE, role: str = ROLE) -> str:
        """Return the address of a database of this cluster."""
        return f"postgresql://{role}@/{database}?host={quote(str(self.socket_dir), safe='')}"

    def exists(self) -> bool:
        """Whether the cluster was made."""
        return (self.data / "PG_VERSION").exists()

    def make(self) -> None:
        """Make the cluster if there is none, and write its configuration anew in any case.

        A set-up that was cut short leaves nothing that a later one takes for a cluster.

        Raises:
            Misconfigured: initdb failed.
        """
        if not self.exists():
            fresh = self.home / "data.new"
            if fresh.exists():
                shutil.rmtree(fresh)
            arguments = [
                *("--pgdata", str(fresh), "--username", SUPERUSER, "--data-checksums"),
                *(
                    "--encoding",
                    "UTF8",
                    "--locale",
                    "C.UTF-8",
                    "--auth-local",
                    "peer",
                    "--auth-host",
                    "reject",
                ),
                "--no-instructions",
            ]
            self._run("initdb", arguments)
            fresh.rename(self.data)
        local = self.data / "local.conf"
        if not local.exists():
            local.touch(mode=0o600)
            self.user.own(local, 0o600)
        settings = {
            **SETTINGS,
            "unix_socket_directories": f"'{_quoted(str(self.socket_dir))}'",
            **self.extra,
        }
        lines = [f"{name} = {value}" for name, value in settings.items()]
        self._write("postgresql.conf", [*lines, "include 'local.conf'"])
        self._write("pg_hba.conf", [f"local all all peer map={ROLE}"])
        callers = sorted({self.user.name, getpass.getuser(), "root"})
        self._write(
            "pg_ident.conf",
            [f'{ROLE} "{caller}" {role}' for caller in callers for role in (SUPERUSER, ROLE)],
        )

    def process(self, environment: Mapping[str, str]) -> Process:
        """Return the server as a process for the supervisor."""
        return Process(
            name="postgres",
            command=(self.programs.path("postgres"), "-D", str(self.data)),
            environment=environment,
            ready=self.answers,
            user=self.user,
            stop_signal=signal.SIGINT,  # "fast": sessions are ended, everything is written
        )

    def answers(self) -> bool:
        """Tell whether the server accepts sessions."""
        # The server's own note comes first: one that is still recovering logs every session it refuses.
        try:
            if "ready" not in (self.data / "postmaster.pid").read_text().splitlines()[-1]:
                return False
        except (FileNotFoundError, IndexError):
            return False
        try:
            psycopg.connect(self.url("postgres", SUPERUSER), connect_timeout=2).close()
        except psycopg.OperationalError:
            return False
        return True

    def make_role(self) -> None:
        """Make our role and its database with PostGIS in a running cluster, as far as they are missing.

        The role is a plain one: PostGIS can only be made by the superuser, so that is done here.
        """
        with self.superuser("postgres") as connection:
            if not connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", (ROLE,)).fetchone():
                connection.execute(sql.SQL("CREATE ROLE {} LOGIN").format(sql.Identifier(ROLE)))
        self.make_database(DATABASE)

    def make_database(self, name: str, template: str | None = None) -> None:
        """Make a database with PostGIS for our role if it is missing; a copy of `template` if given."""
        with self.superuser("postgres") as connection:
            if connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", (name,)).fetchone():
                return
            connection.execute(
                sql.SQL("CREATE DATABASE {} OWNER {} TEMPLATE {}").format(
                    sql.Identifier(name), sql.Identifier(ROLE), sql.Identifier(template or "template1")
                )
            )
        if template is None:
            with self.superuser(name) as connection:
                connection.execute("CREATE EXTENSION IF NOT EXISTS postgis")

    def drop_database(self, name: str) -> None:
        """Remove a database and end its sessions."""
        with self.superuser("postgres") as connection:
            connection.execute(
                sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name))
            )

    def superuser(self, database: str) -> "psycopg.Connection[tuple[object, ...]]":
        """Return a connection as the superuser, each statement its own transaction; close it."""
        return psycopg.connect(self.url(database, SUPERUSER), autocommit=True, connect_timeout=5)

    def _run(self, program: str, arguments: Sequence[str]) -> None:
        done = subprocess.run(
            [self.programs.path(program), *arguments],
            env={"PATH": os.defpath, "LC_ALL": "C.UTF-8", "TZ": "UTC"},
            cwd="/",
            capture_output=True,
            text=True,
            check=False,
            **self.user.popen_arguments(),  # type: ignore[call-overload]
        )
        if done.returncode != 0:
            last = (done.stderr.strip().splitlines() or ["no reason given"])[-1]
            raise Misconfigured(f"{program} failed: {last}")

    def _write(self, name: str, lines: Sequence[str]) -> None:
        path = self.data / name
        temporary = self.data / f".{name}.new"
        temporary.write_text("\n".join(["# Written at every start; put your own in local.conf.", *lines, ""]))
        self.user.own(temporary, 0o600)
        temporary.replace(path)


def cluster(layout: Layout, extra: Mapping[str, str] | None = None) -> Cluster:
    """Return the cluster of a data folder; `make` it before its first start.

    Raises:
        Misconfigured: PostgreSQL, PostGIS or the user to run it as is missing.
    """
    user = server_user("postgres")
    home = layout.postgres
    home.mkdir(mode=0o700, exist_ok=True)
    user.own(home, 0o700)
    version_file = home / "data" / "PG_VERSION"
    version = version_file.read_text().strip() if version_file.exists() else None
    return Cluster(home, socket_folder(home, user), user, find_programs(version), extra or {})


def _quoted(path: str) -> str:
    """Write one path as an item of a quoted list within a configuration string."""
    return '"' + path.replace('"', '""').replace("'", "''") + '"'
