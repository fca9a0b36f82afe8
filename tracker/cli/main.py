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
    """A group that says in one line what went wrong, and exits 1 (refused), 2 (set-up) or 3 (try again)."""

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


COMMAND = tracker


def commands() -> click.Group:
    """Return the `tracker` command with every sub-command of this package."""
    for command in registry.load("tracker.cli", "COMMAND").values():
        if command is not COMMAND:
            COMMAND.add_command(command)
    return COMMAND


def main() -> None:
    """Run the command line."""
    commands().main(prog_name="tracker", args=sys.argv[1:])
