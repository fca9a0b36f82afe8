"""Collects the commands and turns the product's errors into exit codes."""

import sys
from typing import Any

import click

from tracker import VERSION, registry
from tracker.domain.errors import Misconfigured, TrackerError, Unavailable

EXIT_REFUSED = 1
EXIT_MISCONFIGURED = 2
EXIT_UNAVAILABLE = 3


class Tracker(click.Group):
    """The commands of this package, one a file; says in one line what went wrong.

    Exits 1 (refused), 2 (set-up) or 3 (try again). A command is imported when it is used: importing all of
    them costs each process 0.6 s of one core and 25 MB.
    """

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click gives it
        # A file may not be named by a word of Python's: `import_` holds the command `import`.
        return sorted(name.removesuffix("_") for name in registry.names("tracker.cli") if name != "main")

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in self.list_commands(ctx):
            return None
        file = cmd_name if cmd_name in registry.names("tracker.cli") else f"{cmd_name}_"
        command: click.Command = registry.load_one("tracker.cli", file, "COMMAND")
        return command

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except TrackerError as error:
            click.echo(f"tracker: {error}", err=True)
            ctx.exit(exit_code(error))


def exit_code(error: TrackerError) -> int:
    """Return the exit code of an error: what a script can tell apart."""
    if isinstance(error, Misconfigured):
        return EXIT_MISCONFIGURED
    if isinstance(error, Unavailable):
        return EXIT_UNAVAILABLE
    return EXIT_REFUSED


@click.group(cls=Tracker, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(VERSION, prog_name="tracker")
def tracker() -> None:
    """Ryadom: a family's people, pets, vehicles and phones in sight and safe."""


def main() -> None:
    """Run the command line."""
    tracker.main(prog_name="tracker", args=sys.argv[1:])
