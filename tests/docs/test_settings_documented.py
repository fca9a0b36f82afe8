import re
from pathlib import Path

from tracker.settings import Settings

ROOT = Path(__file__).parents[2]
ROW = re.compile(r"^\| `(TRACKER_[A-Z_]+)` \| (.+?) \| (.+) \|$", re.MULTILINE)


def test_every_setting_is_in_the_operators_table_with_its_default_and_meaning() -> None:
    rows = {name: (default, meaning) for name, default, meaning in ROW.findall(operators())}
    expected = {}
    for name, field in Settings.model_fields.items():
        default = "unset" if field.default in {None, ""} else f"`{field.default}`"
        expected[f"TRACKER_{name.upper()}"] = (default, field.description)
    assert rows == expected


def test_every_setting_that_a_page_or_deployment_file_names_exists() -> None:
    known = {f"TRACKER_{name.upper()}" for name in Settings.model_fields}
    places = [
        *ROOT.glob("*.md"),
        *ROOT.glob("docs/**/*.md"),
        *(path for path in ROOT.glob("deploy/**/*") if path.is_file()),
        *(path for path in ROOT.glob("script/*") if path.is_file()),
        ROOT / "Dockerfile",
        ROOT / "docker-compose.yml",
    ]
    for path in places:
        named = set(re.findall(r"TRACKER_[A-Z]+(?:_[A-Z]+)*", path.read_text()))
        assert named <= known, f"{path.relative_to(ROOT)} names settings that do not exist"


def operators() -> str:
    return (ROOT / "docs" / "operators.md").read_text()
