"""How many codes are sent and how many entries are looked at: fixed windows, counted in the database.

A cap that is reached says nothing to the caller but silence: the answer stays the same and no message goes
out. What a stranger may spend of somebody's number is less than the number has, and a browser that has
signed in for the number before has a budget of its own, so that a stranger cannot use the owner's up.
"""

import ipaddress
from dataclasses import dataclass
from datetime import datetime, timedelta

from tracker.accounts.policy import RESEND_AFTER, SignInPolicy
from tracker.domain.errors import TooMany
from tracker.store import signin
from tracker.store.seal import Sealer
from tracker.store.session import Session

_HOUR = timedelta(hours=1)
_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Cap:
    """At most `most` acts of one `key` in each fixed `window`."""

    bucket: str
    key: str
    window: timedelta
    most: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Network:
    """The network a caller comes from; `is_loopback` if it is this machine or a proxy on it."""

    name: str
    is_loopback: bool


def network_of(address: str) -> Network:
    """Return the /24 (IPv4) or /56 (IPv6) of an address; what is no address counts as one network."""
    try:
        parsed = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return Network(name="unknown", is_loopback=False)
    if isinstance(parsed, ipaddress.IPv6Address):
        if parsed.ipv4_mapped is None:
            name = str(ipaddress.ip_network((parsed, 56), strict=False))
            return Network(name=name, is_loopback=parsed.is_loopback)
        parsed = parsed.ipv4_mapped
    name = str(ipaddress.ip_network((parsed, 24), strict=False))
    return Network(name=name, is_loopback=parsed.is_loopback)


class Limits:
    """The caps of one deployment; a loopback address, which hides the caller, has ten times as much."""

    def __init__(self, sealer: Sealer, policy: SignInPolicy) -> None:
        self._sealer = sealer
        self._policy = policy

    def guard_requests(self, session: Session, address: str, now: datetime) -> None:
        """Count a request for a code.

        Raises:
            TooMany: this network asks for more than anybody needs.
        """
        self._guard(session, "requests", address, _HOUR, self._policy.requests_per_address_hour, now)

    def guard_entries(self, session: Session, address: str, now: datetime) -> None:
        """Count an entry of a code.

        Raises:
            TooMany: this network enters more codes than anybody needs.
        """
        window = timedelta(minutes=10)
        self._guard(session, "entries", address, window, self._policy.entries_per_address_10min, now)

    def may_send(
        self,
        session: Session,
        *,
        phone: str,
        address: str,
        known_device: bool,
        spent: bool,
        eligible: bool,
        now: datetime,
    ) -> bool:
        """Count a message to `phone` and tell whether it may go out.

        `spent` says that the code sent last opens nothing any more: the pause of a minute does not hold then.
        Numbers that are not `eligible`, and every cap behind one that is reached, are counted apart: the
        work, and so the time, is the same, and nobody's budget is spent by what is not sent.
        """
        allowed = eligible
        for cap in self._caps(phone, network_of(address), known_device, spent):
            bucket = cap.bucket if allowed else f"unsent/{cap.bucket}"
            hits, _ = signin.hit(
                session, bucket=bucket, key_hash=self._blind(cap.key), window=cap.window, now=now
            )
            allowed = allowed and hits <= cap.most
        return allowed

    def may_notice(self, session: Session, account_id: str, now: datetime) -> bool:
        """Count a notice of a new sign-in and tell whether it may go out: at most 5 a day an account."""
        key = self._blind(account_id)
        hits, _ = signin.hit(session, bucket="notices", key_hash=key, window=_DAY, now=now)
        return hits <= 5

    def _caps(self, phone: str, network: Network, known_device: bool, spent: bool) -> tuple[Cap, ...]:
        policy = self._policy
        factor = policy.loopback_factor if network.is_loopback else 1
        number = f"known device/{phone}" if known_device else phone
        pair = f"{number}/{network.name}"
        # What the caller alone can exhaust comes first, what all share last.
        return (
            Cap(
                bucket="sms pair hour",
                key=pair,
                window=_HOUR,
                most=policy.sms_per_number_and_address_hour * factor,
            ),
            Cap(
                bucket="sms pair day",
                key=pair,
                window=_DAY,
                most=policy.sms_per_number_and_address_day * factor,
            ),
            Cap(
                bucket="sms address hour",
                key=network.name,
                window=_HOUR,
                most=policy.sms_per_address_hour * factor,
            ),
            # Who has used his code, or mistyped it thrice, needs the next one now; the hour still bounds him.
            Cap(
                bucket="sms number minute",
                key=number,
                window=RESEND_AFTER,
                most=policy.sms_per_number_hour if spent else 1,
            ),
            Cap(bucket="sms number hour", key=number, window=_HOUR, most=policy.sms_per_number_hour),
            Cap(bucket="sms number day", key=number, window=_DAY, most=policy.sms_per_number_day),
            Cap(bucket="sms block hour", key=phone[:-4], window=_HOUR, most=policy.sms_per_block_hour),
            Cap(bucket="sms hour", key="all", window=_HOUR, most=policy.sms_per_hour),
        )

    def _guard(
        self, session: Session, bucket: str, address: str, window: timedelta, most: int, now: datetime
    ) -> None:
        network = network_of(address)
        key = self._blind(network.name)
        hits, seconds_left = signin.hit(session, bucket=bucket, key_hash=key, window=window, now=now)
        if hits > most * (self._policy.loopback_factor if network.is_loopback else 1):
            raise TooMany(seconds_left)

    def _blind(self, key: str) -> bytes:
        return self._sealer.blind(key, purpose="limits")
