"""`tracker quarantine`: what messages were refused, and trying them again after a fix."""

import click

from tracker import settings, wiring
from tracker.domain.clock import utc_now
from tracker.domain.errors import Invalid, Reason
from tracker.domain.ids import is_id
from tracker.local.resolve import with_private_servers
from tracker.store import refusals
from tracker.store.quarantine import ask_replay_of


@click.group("quarantine")
def quarantine() -> None:
    """Refused messages of every account; their content is never shown here."""


@quarantine.command("list")
def show() -> None:
    """Print how many messages lie refused, by reason and dialect, most first."""
    store = wiring.database(with_private_servers(settings.read()), pool_size=1)
    with store.begin() as session:
        rows = refusals.census(session)
    store.close()
    for each in rows:
        click.echo(
            f"{each.messages:8}  {each.reason.value:20}  {each.dialect or '-':16}"
            f"  {each.senders} sender(s), {each.waiting} waiting"
        )
    click.echo(f"{sum(each.messages for each in rows):8}  in all")


@quarantine.command("replay")
@click.option("--reason", type=click.Choice([each.value for each in Reason]), help="those of this reason")
@click.option("--device", "device_id", help="those of this device")
@click.option("--origin", "origin_id", help="those that this device, gateway or source sent")
@click.option("--account", "account_id", help="only this account's")
def replay(reason: str | None, device_id: str | None, origin_id: str | None, account_id: str | None) -> None:
    """Have refused messages tried again: those that fit every option, of which --account is not enough."""
    for name, identity in (("--device", device_id), ("--origin", origin_id), ("--account", account_id)):
        if identity is not None and not is_id(identity):
            raise Invalid((name, "is no id"))
    store = wiring.database(with_private_servers(settings.read()), pool_size=1)
    with store.begin() as session:
        asked = ask_replay_of(
            session,
            account_id,
            reason=Reason(reason) if reason else None,
            device_id=device_id,
            origin_id=origin_id,
            now=utc_now(),
        )
    store.close()
    click.echo(f"{asked} message(s) will be tried again by `tracker ingest`")


COMMAND = quarantine
