import sys
from pathlib import Path

import pytest

from tracker import registry


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    home = tmp_path / f"variants_{tmp_path.name.replace('-', '_')}"
    home.mkdir()
    (home / "__init__.py").touch()
    monkeypatch.syspath_prepend(str(tmp_path))
    return home


def variant(home: Path, file: str, name: str) -> None:
    (home / f"{file}.py").write_text(f"class V:\n    name = {name!r}\n\nVARIANT = V()\n")


def test_each_file_is_found_by_the_name_it_announces(package: Path) -> None:
    variant(package, "b", "second")
    variant(package, "a", "first")
    (package / "_shared.py").write_text("X = 1\n")
    assert list(registry.load(package.name, "VARIANT")) == ["first", "second"]


def test_names_are_told_without_importing(package: Path) -> None:
    variant(package, "b", "second")
    (package / "_shared.py").write_text("X = 1\n")
    (package / "broken.py").write_text("raise RuntimeError\n")
    assert registry.names(package.name) == ("b", "broken")


def test_two_files_of_one_name_are_refused(package: Path) -> None:
    variant(package, "a", "same")
    variant(package, "b", "same")
    with pytest.raises(registry.DuplicateVariant, match="same"):
        registry.load(package.name, "VARIANT")


def test_a_file_that_announces_nothing_is_refused(package: Path) -> None:
    (package / "stray.py").write_text("X = 1\n")
    with pytest.raises(registry.MissingVariant, match="stray"):
        registry.load(package.name, "VARIANT")
    assert f"{package.name}.stray" in sys.modules
