"""Which user of the machine a private server runs as: PostgreSQL refuses root, Mosquitto should."""

import grp
import os
import pwd
import shutil
from dataclasses import dataclass
from pathlib import Path

from tracker.domain.errors import Misconfigured


@dataclass(frozen=True)
class ServerUser:
    """A user of the machine, by name and number."""

    name: str
    uid: int
    gid: int

    @property
    def differs(self) -> bool:
        """Whether a process must change its user to become this one."""
        return self.uid != os.geteuid()

    def popen_arguments(self) -> dict[str, object]:
        """Return what makes `subprocess` start a process as this user; nothing if it is the caller."""
        if not self.differs:
            return {}
        return {"user": self.uid, "group": self.gid, "extra_groups": os.getgrouplist(self.name, self.gid)}

    def own(self, path: Path, mode: int) -> None:
        """Give `path` to this user with `mode`; for a caller that is not root only the mode changes."""
        if self.differs:
            os.chown(path, self.uid, self.gid)
        path.chmod(mode)


def current_user() -> ServerUser:
    """Return the user that runs this program."""
    uid = os.geteuid()
    try:
        name = pwd.getpwuid(uid).pw_name
    except KeyError:
        raise Misconfigured(f"user number {uid} has no name: add it to the machine's users") from None
    return ServerUser(name, uid, os.getegid())


def server_user(name: str) -> ServerUser:
    """Return who a private server runs as: `name` when the caller is root, else the caller.

    Raises:
        Misconfigured: the caller is root and the machine has no such user.
    """
    if os.geteuid() != 0:
        return current_user()
    try:
        found = pwd.getpwnam(name)
    except KeyError:
        raise Misconfigured(f"this machine has no user {name!r}: install the server's package") from None
    grp.getgrgid(found.pw_gid)
    return ServerUser(name, found.pw_uid, found.pw_gid)


def can_reach(user: ServerUser, folder: Path) -> bool:
    """Tell whether `user` may pass through every folder down to `folder`, which need not exist yet."""
    if not user.differs:
        return True
    groups = set(os.getgrouplist(user.name, user.gid))
    for step in (folder, *folder.parents):
        if not step.exists():
            continue
        status = step.stat()
        if status.st_uid == user.uid:
            allowed = status.st_mode & 0o100
        elif status.st_gid in groups:
            allowed = status.st_mode & 0o010
        else:
            allowed = status.st_mode & 0o001
        if not allowed:
            return False
    return True


def find_program(name: str, *folders: str) -> Path | None:
    """Return the full path of a program from `PATH` or `folders`; None if there is none."""
    for place in (None, *folders):
        found = shutil.which(name, path=place)
        if found:
            return Path(found)
    return None
