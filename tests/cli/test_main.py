"""The command line as a whole."""

import subprocess
import sys

import pytest
from click.testing import CliRunner

from tracker import registry
from tracker.cli.main import exit_code, tracker
from tracker.domain.errors import Malformed, Misconfigured, Reason, Unavailable

FILES = [file for file in registry.names("tracker.cli") if file != "main"]
NAMES = sorted(file.removesuffix("_") for file in FILES)


@pytest.mark.parametrize("file", FILES)
def test_each_command_is_named_as_its_file_and_explains_itself(file: str) -> None:
    command = registry.load_one("tracker.cli", file, "COMMAND")
    name = file.removesuffix("_")
    assert command.name == name
    answer = CliRunner().invoke(tracker, [name, "--help"])
    assert answer.exit_code == 0
    assert command.help.splitlines()[0] in answer.output.replace("\n  ", " ")


def test_the_list_of_commands_names_them_all() -> None:
    output = CliRunner().invoke(tracker, ["--help"]).output
    assert [name for name in NAMES if f"  {name} " in output] == NAMES


def test_a_command_that_does_not_exist_is_refused() -> None:
    assert CliRunner().invoke(tracker, ["fly"]).exit_code == 2


def test_a_process_imports_only_its_own_command() -> None:
    code = (
        "import sys; from tracker.cli.main import tracker; tracker(['work', '--help'], standalone_mode=False)"
    )
    code += "; print('flask' in sys.modules, 'tracker.wiring' in sys.modules)"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout.splitlines()[-1] == "False True"


def test_a_wrong_setting_is_one_line_and_exit_2(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRACKER_HTTP", "nowhere")
    answer = CliRunner().invoke(tracker, ["doctor"])
    assert answer.exit_code == 2
    assert "TRACKER_HTTP" in answer.output
    assert len(answer.output.splitlines()) == 1


def test_scripts_can_tell_errors_apart() -> None:
    errors = (Malformed(Reason.NOT_JSON), Misconfigured("x"), Unavailable("x"))
    assert [exit_code(error) for error in errors] == [1, 2, 3]
