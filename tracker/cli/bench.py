"""`tracker bench`."""

import importlib
import json
from dataclasses import asdict

import click

from tracker import registry

NAMES = (
    "ingest",
    "latency",
    "alerts",
    "decode",
    "history",
    "fences",
    "truth",
    "vault",
    "faults",
    "flood",
    "import",
    "growth",
    "soak",
)


@click.command("bench")
@click.argument("name", type=click.Choice(NAMES))
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object last.")
@click.option("--size", type=click.IntRange(min=1), help="Items a round.")
@click.option(
    "--rounds", type=click.IntRange(min=1), default=5, show_default=True, help="Medians are of these."
)
def bench(name: str, as_json: bool, size: int | None, rounds: int) -> None:
    """Measure on this machine, on private servers, beside a floor of the same run."""
    try:
        options = importlib.import_module("benchmarks._result").Options(size=size, rounds=rounds)
        found = registry.load("benchmarks", "BENCHMARK")
    except ModuleNotFoundError as error:
        if error.name != "benchmarks":
            raise
        raise click.ClickException("the benchmarks are not installed: run this in a clone") from None
    if name not in found:
        raise click.ClickException(f"`{name}` is not built yet; there is: {', '.join(found)}")
    result = asdict(found[name].run(options))
    for kind in ("figures", "floors", "ratios"):
        for label, value in result[kind].items():
            click.echo(f"{kind[:-1]:<7} {label:<28} {value:>14,.7g}")
    if as_json:
        click.echo(json.dumps(result))


COMMAND = bench
