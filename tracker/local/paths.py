"""Where the private servers keep their things below the data folder."""

import hashlib
import os
import tempfile
from dataclasses import dataclass
from pathlib import Path

from tracker.domain.errors import Misconfigured
from tracker.local.identity import ServerUser, can_reach

SOCKET_PATH_LIMIT_BYTES = 107
"""What `sockaddr_un` holds on Linux, less its closing zero."""
SOCKET_NAME = ".s.PGSQL.5432.lock"
"""The longest name that PostgreSQL makes in its socket folder."""
FALLBACK_HOME = Path("/var/lib/tracker")


@dataclass(frozen=True)
class Layout:
    """The folders of one copy of the service; two copies with different data folders share none."""

    data_dir: Path
    servers_dir: Path
    """The data folder itself, or a folder under /var/lib/tracker that the servers' users can reach."""

    @property
    def postgres(self) -> Path:
        return self.servers_dir / "postgres"

    @property
    def mosquitto(self) -> Path:
        return self.servers_dir / "mosquitto"

    @property
    def outbox(self) -> Path:
        return self.data_dir / "outbox"

    @property
    def keys(self) -> Path:
        return self.data_dir / "keys"

    @property
    def moved(self) -> bool:
        """Whether the servers' folders could not be in the data folder."""
        return self.servers_dir != self.data_dir


def lay_out(data_dir: Path, server_users: tuple[ServerUser, ...]) -> Layout:
    """Make the data folder and choose where the servers' folders go.

    A data folder that a server's user cannot reach, such as one under /root, keeps everything but the
    servers' own folders, which then go to /var/lib/tracker/<hash of the data folder>.

    Raises:
        Misconfigured: the data folder cannot be made or written.
    """
    data_dir = Path(os.path.abspath(data_dir))  # noqa: PTH100  # no symlink is resolved: the name is the identity
    switching = [user for user in server_users if user.differs]
    try:
        if not data_dir.exists():
            data_dir.mkdir(parents=True)
            data_dir.chmod(0o700)
        if switching:
            # Passing through is all that the servers' users need: each folder inside guards itself.
            data_dir.chmod(data_dir.stat().st_mode | 0o011)
        servers_dir = data_dir
        if not all(can_reach(user, data_dir) for user in switching):
            servers_dir = FALLBACK_HOME / short_hash(data_dir)
            servers_dir.mkdir(parents=True, exist_ok=True, mode=0o711)
        layout = Layout(data_dir, servers_dir)
        for private in (layout.outbox, layout.keys):
            private.mkdir(mode=0o700, exist_ok=True)
    except OSError as error:
        raise Misconfigured(f"TRACKER_DATA_DIR {data_dir}: {error.strerror}") from error
    return layout


def socket_folder(postgres_dir: Path, user: ServerUser) -> Path:
    """Return the folder of the cluster's socket, made with mode 0700 and owned by `user`.

    It lies beside the cluster, or, where that path is too long for a socket, in the temporary folder.

    Raises:
        Misconfigured: the folder in the temporary folder belongs to somebody else.
    """
    beside = postgres_dir / "run"
    if _fits(beside):
        beside.mkdir(mode=0o700, exist_ok=True)
        user.own(beside, 0o700)
        return beside
    name = f"tracker-{short_hash(postgres_dir)}"
    temporary = Path(tempfile.gettempdir())
    if not _fits(temporary / name) or not can_reach(user, temporary):
        temporary = Path("/tmp")  # noqa: S108  # the folder below is checked to be ours
    folder = temporary / name
    folder.mkdir(mode=0o700, exist_ok=True)
    owner = folder.lstat().st_uid
    if folder.is_symlink() or owner not in {os.geteuid(), user.uid}:
        raise Misconfigured(f"{folder} belongs to somebody else: remove it, or set TMPDIR")
    user.own(folder, 0o700)
    return folder


def short_hash(path: Path) -> str:
    """Return ten characters that stand for a path."""
    return hashlib.sha256(os.fsencode(path)).hexdigest()[:10]


def _fits(folder: Path) -> bool:
    return len(os.fsencode(folder / SOCKET_NAME)) <= SOCKET_PATH_LIMIT_BYTES
