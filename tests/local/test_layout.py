import os
import shutil
import tempfile
from pathlib import Path

import pytest

from tracker.domain.errors import Misconfigured
from tracker.local.identity import can_reach, current_user, server_user
from tracker.local.paths import (
    FALLBACK_HOME,
    SOCKET_NAME,
    SOCKET_PATH_LIMIT_BYTES,
    lay_out,
    short_hash,
    socket_folder,
)

root_only = pytest.mark.skipif(os.geteuid() != 0, reason="only root changes users")


def mode(path: Path) -> int:
    return path.stat().st_mode & 0o777


def test_private_folders_are_closed_to_others(data_dir: Path) -> None:
    layout = lay_out(data_dir, (server_user("postgres"),))
    assert mode(layout.keys) == mode(layout.outbox) == 0o700


def test_the_same_folder_gives_the_same_layout(data_dir: Path) -> None:
    user = server_user("postgres")
    assert lay_out(data_dir, (user,)) == lay_out(data_dir / "x" / "..", (user,))


def test_without_another_user_the_data_folder_is_closed(data_dir: Path) -> None:
    layout = lay_out(data_dir / "mine", (current_user(),))
    assert mode(layout.data_dir) == 0o700
    assert not layout.moved


def test_a_command_with_servers_elsewhere_leaves_the_way_open_for_private_ones(data_dir: Path) -> None:
    lay_out(data_dir / "var", (server_user("postgres"),))
    lay_out(data_dir / "var", ())
    assert can_reach(server_user("postgres"), data_dir / "var")


@root_only
def test_a_data_folder_that_the_servers_cannot_reach_moves_theirs(data_dir: Path) -> None:
    closed = data_dir / "closed"
    closed.mkdir(mode=0o700)
    layout = lay_out(closed / "var", (server_user("postgres"),))
    try:
        assert layout.moved
        assert layout.postgres == FALLBACK_HOME / short_hash(closed / "var") / "postgres"
        assert layout.keys == closed / "var" / "keys"
        assert can_reach(server_user("postgres"), layout.servers_dir)
    finally:
        shutil.rmtree(layout.servers_dir)


def test_a_data_folder_that_is_a_file_is_named(data_dir: Path) -> None:
    (data_dir / "file").touch()
    with pytest.raises(Misconfigured, match=f"TRACKER_DATA_DIR {data_dir / 'file'}"):
        lay_out(data_dir / "file", ())


def test_the_socket_lies_beside_the_cluster_when_its_path_fits(data_dir: Path) -> None:
    user = server_user("postgres")
    found = socket_folder(data_dir, user)
    assert found == data_dir / "run"
    assert mode(found) == 0o700
    assert found.stat().st_uid == user.uid


def test_a_deep_data_folder_gets_a_short_socket_path(data_dir: Path) -> None:
    deep = data_dir / ("d" * 120)
    deep.mkdir()
    user = server_user("postgres")
    found = socket_folder(deep, user)
    try:
        assert len(os.fsencode(found / SOCKET_NAME)) <= SOCKET_PATH_LIMIT_BYTES
        assert found == socket_folder(deep, user)
        assert mode(found) == 0o700
        other = data_dir / ("e" * 120)
        assert short_hash(deep) in found.name
        assert short_hash(other) not in found.name
    finally:
        found.rmdir()


def test_a_socket_folder_made_by_a_stranger_is_refused(data_dir: Path) -> None:
    deep = data_dir / ("f" * 120)
    planted = Path(tempfile.gettempdir()) / f"tracker-{short_hash(deep)}"
    planted.symlink_to(data_dir)
    try:
        with pytest.raises(Misconfigured, match="belongs to somebody else"):
            socket_folder(deep, server_user("postgres"))
    finally:
        planted.unlink()
