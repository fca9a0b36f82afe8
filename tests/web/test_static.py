"""What is served as it is: nothing of other hosts, nothing altered or missing, every text in Russian."""

import json
import re
import subprocess
from pathlib import Path

import pytest
from babel.messages.pofile import read_po

ROOT = Path(__file__).parents[2]
WEB = ROOT / "tracker" / "web"
STATIC = WEB / "static"
OWN = [path for path in STATIC.iterdir() if path.suffix in {".css", ".js", ".svg", ".webmanifest"}]
TEMPLATES = list((WEB / "templates").glob("*.html"))
NAMESPACE = "http://www.w3.org/2000/svg"


def test_vendored_files_are_those_of_the_manifest() -> None:
    answer = subprocess.run(
        [ROOT / "script" / "vendor", "--check"], capture_output=True, text=True, check=False
    )
    assert answer.stderr == ""
    assert answer.returncode == 0


def test_every_vendored_package_brings_its_licence() -> None:
    packages = json.loads((STATIC / "vendor" / "manifest.json").read_text())["packages"]
    assert {package["name"] for package in packages} == {
        "leaflet",
        "protomaps-leaflet",
        "@geoman-io/leaflet-geoman-free",
    }
    for package in packages:
        assert package["licence"]
        assert any(file["path"].endswith("/LICENSE") for file in package["files"])


@pytest.mark.parametrize("path", OWN + TEMPLATES, ids=lambda path: path.name)
def test_no_page_script_or_style_names_another_host(path: Path) -> None:
    text = path.read_text("utf-8").replace(NAMESPACE, "")
    # No browser asks a broker.
    text = text.replace("mqtts://", "")
    assert re.findall(r"""(?:https?:)?//[\w-]+\.\w+[^\s"']*""", text) == []


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.name)
def test_templates_hold_no_inline_handlers_and_every_script_a_nonce(path: Path) -> None:
    text = path.read_text("utf-8")
    assert re.findall(r"<[^>]*\son\w+=", text) == []
    scripts = re.findall(r"<script\b[^>]*>", text)
    assert [tag for tag in scripts if "nonce" not in tag and "application/json" not in tag] == []


def test_every_form_that_changes_something_proves_its_origin() -> None:
    for path in TEMPLATES:
        for form in re.findall(r'<form method="post".*?</form>', path.read_text("utf-8"), re.DOTALL):
            assert "csrf()" in form or "hidden(" in form, path.name


def test_every_icon_that_is_used_is_drawn() -> None:
    drawn = set(re.findall(r'<symbol id="(\w+)"', (STATIC / "icons.svg").read_text()))
    used = set(re.findall(r"icons\.svg#(\w+)", "".join(path.read_text("utf-8") for path in TEMPLATES)))
    used |= set(re.findall(r'icon\("(\w+)"\)', "".join(path.read_text("utf-8") for path in TEMPLATES)))
    assert used - drawn == set()
    assert {"child", "relative", "pet", "vehicle", "phone", "map", "more"} <= drawn


def test_every_string_of_the_scripts_is_given_by_the_page() -> None:
    pages = "".join(path.read_text("utf-8") for path in TEMPLATES)
    given = set(re.findall(r'^    "(\w+)": _\(', pages, re.MULTILINE))
    scripts = "".join(path.read_text("utf-8") for path in OWN if path.suffix == ".js")
    asked = set(re.findall(r"\bsay\('(\w+)'", scripts))
    assert asked
    assert asked - given == set()


def test_icons_of_the_manifest_exist() -> None:
    manifest = json.loads((STATIC / "manifest.webmanifest").read_text("utf-8"))
    for icon in manifest["icons"]:
        assert (WEB / icon["src"].removeprefix("/")).exists()
    assert {icon["purpose"] for icon in manifest["icons"]} == {"any", "maskable"}


def test_the_russian_catalogue_is_complete_compiled_and_up_to_date() -> None:
    answer = subprocess.run(
        [ROOT / "script" / "translate", "--check"], capture_output=True, text=True, check=False
    )
    assert answer.stderr == ""
    assert answer.returncode == 0


def test_translations_keep_every_placeholder() -> None:
    with (WEB / "translations" / "ru" / "LC_MESSAGES" / "messages.po").open("rb") as file:
        catalogue = read_po(file, locale="ru")
    for message in catalogue:
        texts = [message.string] if isinstance(message.string, str) else list(message.string or ())
        wanted = message.id if isinstance(message.id, str) else message.id[-1]
        for text in texts if message.id else []:
            pattern = r"\{\w+\}|%\(\w+\)s|%%"
            assert sorted(re.findall(pattern, text)) == sorted(re.findall(pattern, wanted)), wanted


def test_both_languages_have_the_same_terms() -> None:
    english, russian = (
        (WEB / "templates" / f"terms_{locale}.html").read_text("utf-8") for locale in ("en", "ru")
    )
    for tag in ("<h2>", "<li>", "<p>"):
        assert english.count(tag) == russian.count(tag)
