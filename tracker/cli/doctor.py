"""`tracker doctor`: one line for each thing that the service leans on, with the cure where one is wrong."""

import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import urlsplit

import click
import psycopg

from tracker import registry, settings, wiring
from tracker.domain.clock import utc_now
from tracker.domain.errors import Misconfigured, Refused, Unavailable
from tracker.ingest.client import accepts
from tracker.local.ports import answers
from tracker.local.resolve import with_private_servers
from tracker.notify.channels._channel import transport_of
from tracker.notify.channels.sms import SmsChannel
from tracker.settings import Settings
from tracker.store import migrate

LEAST_FREE_BYTES = 1 << 30
MOST_SKEW_S = 5.0
BUILT_AFTER = datetime(2026, 1, 1, tzinfo=UTC)
"""A clock that shows an earlier moment is not set: every position would look as if from the future."""
WAIT_S = 5.0


@dataclass(frozen=True)
class Finding:
    """What a check found; `cure` is empty when nothing is wrong."""

    note: str
    cure: str = ""


Check = Callable[[Settings], Finding]


@click.command("doctor")
@click.argument("names", nargs=-1)
def doctor(names: tuple[str, ...]) -> None:
    """Check what the service leans on, all of it or NAMES only; exit 1 if anything is wrong."""
    chosen = [check for check in CHECKS if not names or name_of(check) in names]
    if unknown := set(names) - {name_of(check) for check in chosen}:
        raise click.BadParameter(f"no such check: {', '.join(sorted(unknown))}")
    found = examine(with_private_servers(settings.read()), chosen)
    for name, finding in found:
        verdict = "WRONG" if finding.cure else "ok"
        click.echo(
            f"{verdict:<5} {name:<10} {finding.note}" + (f" -> {finding.cure}" if finding.cure else "")
        )
    if any(finding.cure for _, finding in found):
        raise SystemExit(1)


COMMAND = doctor


def examine(given: Settings, checks: Sequence[Check]) -> list[tuple[str, Finding]]:
    """Run every check in order, whatever the earlier ones found; pairs each name with its finding."""
    return [(name_of(check), check(given)) for check in checks]


def name_of(check: Check) -> str:
    """Return what a check is called on the command line."""
    return check.__name__.removeprefix("check_")


def ask(given: Settings, question: str) -> str | None:
    """Return the single text that a query answers with; None when the database does not answer."""
    try:
        with psycopg.connect(given.database_url or "", connect_timeout=5) as connection:
            row = connection.execute(question.encode()).fetchone()
    except psycopg.Error:
        return None
    return str(row[0]) if row else ""


def check_database(given: Settings) -> Finding:
    """PostgreSQL answers."""
    version = ask(given, "SHOW server_version")
    if version is None:
        return Finding("no answer", "start `tracker up`, or correct TRACKER_DATABASE_URL")
    return Finding(f"PostgreSQL {version.split()[0]}")


def check_postgis(given: Settings) -> Finding:
    """The database has the PostGIS extension."""
    version = ask(
        given, "SELECT coalesce((SELECT extversion FROM pg_extension WHERE extname = 'postgis'), '')"
    )
    if version is None:
        return Finding("unknown without the database", "cure the database first")
    if not version:
        return Finding("not there", "as the database's superuser: CREATE EXTENSION postgis")
    return Finding(f"PostGIS {version}")


def check_migrations(given: Settings) -> Finding:
    """The tables are those of this version."""
    if ask(given, "SELECT 1") is None:
        return Finding("unknown without the database", "cure the database first")
    store = wiring.database(given, pool_size=1)
    try:
        at_head = migrate.is_at_head(store)
    finally:
        store.close()
    return Finding("at head") if at_head else Finding("not at this version's", "run `tracker migrate`")


def check_broker(given: Settings) -> Finding:
    """The broker accepts a connection and our password."""
    url = urlsplit(given.broker_url or "")
    address = wiring.broker_address(given, wiring.MONITOR_USER)
    if not answers(address.host, address.port, timeout_s=WAIT_S):
        return Finding(
            f"no answer at {address.host}:{address.port}", "start `tracker up`, or correct TRACKER_BROKER_URL"
        )
    if url.username:
        # A second sign-in under the name that ingest uses would end ingest's session.
        return Finding(f"listens at {address.host}:{address.port}; the password is tried by ingest only")
    try:
        signed_in = accepts(address)
    except Unavailable as error:
        return Finding(str(error), "try again; if it stays, read the broker's log")
    if not signed_in:
        return Finding(
            f"{address.username} is refused", "see that `tracker work` runs: it writes the broker's passwords"
        )
    return Finding(f"signed in at {address.host}:{address.port}")


def check_sms(given: Settings) -> Finding:
    """Codes can be sent. A second bind to an SMSC could end the first, so that only the port is tried."""
    outbox = given.data_dir / "outbox"
    try:
        transports = registry.load("tracker.notify.transports", "TRANSPORT")
        SmsChannel(transports, url=given.sms, sender=given.sms_from, outbox_dir=outbox)
    except Misconfigured as error:
        return Finding("cannot be used as it is set", str(error))
    if given.sms == "file":
        return Finding(f"ok, but only for development: messages stay in {outbox}")
    parts = urlsplit(given.sms)
    port = parts.port or {"http": 80, "https": 443, "smpp": 2775, "smpps": 3550}.get(parts.scheme, 0)
    if not parts.hostname or not port or not answers(parts.hostname, port, timeout_s=WAIT_S):
        return Finding(f"no answer at {parts.hostname}:{port}", "correct TRACKER_SMS, or open the way to it")
    return Finding(f"{parts.scheme} gateway at {parts.hostname}:{port} accepts connections")


def check_mail(given: Settings) -> Finding:
    """Mail can be sent: the server answers, turns to TLS and takes our password."""
    outbox = given.data_dir / "outbox"
    try:
        transports = registry.load("tracker.notify.mail", "TRANSPORT")
        mailer = transport_of(transports, given.mail, "TRACKER_MAIL").open(given.mail, outbox)
        mailer.probe()
    except Misconfigured as error:
        return Finding("cannot be used as it is set", str(error))
    except (Unavailable, Refused) as error:
        return Finding(str(error), "correct TRACKER_MAIL, or open the way to it")
    if given.mail == "file":
        return Finding(f"ok, but only for development: messages stay in {outbox}")
    parts = urlsplit(given.mail)
    return Finding(f"the mail server {parts.hostname} takes letters from {given.mail_from}")


def check_push(given: Settings) -> Finding:
    """Browsers can be told: the key by which push services know us is there, or can be made."""
    try:
        wiring.vapid_key(given)
    except (Misconfigured, OSError) as error:
        return Finding("no key", str(error))
    return Finding(f"pushes are signed for {given.vapid_subject}")


def check_disk(given: Settings) -> Finding:
    """The data folder's disk has room."""
    usage = shutil.disk_usage(given.data_dir)
    note = f"{usage.free / 1e9:.1f} GB of {usage.total / 1e9:.1f} GB free for {given.data_dir}"
    if usage.free < LEAST_FREE_BYTES:
        return Finding(note, "make room, or move TRACKER_DATA_DIR to a larger disk")
    return Finding(note)


def check_clock(given: Settings) -> Finding:
    """This machine's clock is set and agrees with the database's."""
    now = utc_now()
    if now < BUILT_AFTER:
        return Finding(f"this machine says {now:%Y-%m-%d}", "set the clock: timedatectl set-ntp true")
    told = ask(given, "SELECT extract(epoch FROM clock_timestamp())")
    if told is None:
        return Finding(
            f"{now:%Y-%m-%d %H:%M} UTC here; not compared without the database", "cure the database first"
        )
    skew_s = abs(utc_now().timestamp() - float(told))
    if skew_s > MOST_SKEW_S:
        return Finding(
            f"{skew_s:.0f} s off the database's", "let both machines keep time: timedatectl set-ntp true"
        )
    return Finding("agrees with the database's")


CHECKS: Sequence[Check] = (
    check_database,
    check_postgis,
    check_migrations,
    check_broker,
    check_sms,
    check_mail,
    check_push,
    check_disk,
    check_clock,
)
