"""An operator's SMSC, by SMPP 3.4.

`smpp://system_id:password@host:2775`, with `?system_type=`, `?source_ton=` and `?source_npi=` where the
operator asks for them; `smpps://...:3550` is the same within TLS from the start. Without, SMPP has no
encryption: the way to the SMSC must be a VPN, a tunnel or the operator's own network.
"""

from datetime import datetime
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit
from zlib import crc32

import httpx
from aiosmpplib import NPI, TON, PhoneNumber, SmppCommandStatus, SubmitSm

from tracker.domain.errors import Misconfigured, Refused, Unavailable
from tracker.notify.transports._sender import OnReceipt, no_receipts
from tracker.notify.transports._smpp_link import SmppLink
from tracker.notify.transports._smpp_smsc import SmppAddress
from tracker.notify.transports._smpp_text import Part, parts_of

PORTS = {"smpp": 2775, "smpps": 3550}  # registered with IANA
_SYSTEM_ID_LENGTH, _PASSWORD_LENGTH, _SYSTEM_TYPE_LENGTH = 15, 8, 12  # SMPP 3.4, 4.1.1, less the final zero
_OPTIONS = frozenset({"system_type", "source_ton", "source_npi"})
_HEADED = 0x40
_RECEIPT_WANTED = 1
_LATER = frozenset(
    {
        SmppCommandStatus.ESME_RTHROTTLED,
        SmppCommandStatus.ESME_RMSGQFUL,
        SmppCommandStatus.ESME_RSYSERR,
        SmppCommandStatus.ESME_RINVBNDSTS,
        SmppCommandStatus.ESME_RX_T_APPN,
    }
)
"""What an SMSC says when it is its own trouble and not the message's."""


class SmppSender:
    """Sends over one bind; receipts are asked for and told to the link's `on_receipt`."""

    def __init__(self, link: SmppLink, source: PhoneNumber) -> None:
        self._link = link
        self._source = source

    def send(self, to: str, text: str, now: datetime, *, message_id: str) -> None:  # noqa: ARG002
        """Hand the message to the SMSC, in as many parts as it needs.

        Raises:
            Unavailable: not bound, no answer in time, or the SMSC is throttling or in trouble.
            Refused: any other status of a part, or a text or number that no SMS can have.
        """
        # The same for a repeat, so that a phone can join or drop parts that came twice.
        parts = parts_of(text, crc32(message_id.encode()))
        statuses = self._link.submit(message_id, [self._submit_sm(to, each) for each in parts])
        said = [SmppCommandStatus(each) for each in statuses if each != SmppCommandStatus.ESME_ROK]
        for status in said:
            if status not in _LATER:
                raise Refused(f"the SMSC answers {status.name}")
        if said:
            raise Unavailable(f"the SMSC answers {said[0].name}")

    def close(self) -> None:
        """Unbind."""
        self._link.close()

    def _submit_sm(self, to: str, part: Part) -> SubmitSm:
        try:
            message = SubmitSm(
                # The octets below go in its place; it must not be empty.
                short_message="-",
                source=self._source,
                destination=PhoneNumber(to.removeprefix("+"), TON.INTERNATIONAL, NPI.ISDN),
                encoding="ucs2" if part.wide else "gsm0338",
                esm_class=_HEADED if part.headed else 0,
                registered_delivery=_RECEIPT_WANTED,
            )
        except ValueError:
            raise Refused("the number is none that an SMS can have") from None
        message.set_encoded_message(part.octets)
        return message


class SmppTransport:
    """`TRACKER_SMS=smpp(s)://...`."""

    name = "smpp"
    schemes = ("smpp", "smpps")

    def open(
        self,
        url: str,
        sender: str,
        outbox_dir: Path,  # noqa: ARG002
        on_receipt: OnReceipt = no_receipts,
    ) -> SmppSender:
        """Return the sender of an SMSC; it binds when it is first used.

        Raises:
            Misconfigured: a name, password or option is none that SMPP can carry.
        """
        try:
            parts = urlsplit(url)
            port = parts.port or PORTS[parts.scheme]
        except ValueError:
            raise Misconfigured("TRACKER_SMS: smpp://user:password@host:2775") from None
        options = {name: values[-1] for name, values in parse_qs(parts.query).items()}
        if unknown := set(options) - _OPTIONS:
            raise Misconfigured(f"TRACKER_SMS: {min(unknown)} is none of {', '.join(sorted(_OPTIONS))}")
        address = SmppAddress(
            host=parts.hostname or "",
            port=port,
            system_id=unquote(parts.username or ""),
            password=unquote(parts.password or ""),
            system_type=options.get("system_type", ""),
            tls=httpx.create_ssl_context() if parts.scheme == "smpps" else None,
        )
        if not address.host:
            raise Misconfigured("TRACKER_SMS: smpp://user:password@host:2775")
        for what, value, length in (
            ("the user", address.system_id, _SYSTEM_ID_LENGTH),
            ("the password", address.password, _PASSWORD_LENGTH),
            ("system_type", address.system_type, _SYSTEM_TYPE_LENGTH),
        ):
            if len(value) > length or not value.isascii():
                raise Misconfigured(f"TRACKER_SMS: {what} may have {length} ASCII characters in SMPP")
        return SmppSender(SmppLink(address, on_receipt), _source(sender, options))


def _source(sender: str, options: dict[str, str]) -> PhoneNumber:
    """Return the sender's address: letters are a name, `+` a whole number, few digits a short one.

    Raises:
        Misconfigured: an option is no number that SMPP knows, or the name is too long.
    """
    if sender.startswith("+"):
        ton, npi = TON.INTERNATIONAL, NPI.ISDN
    elif sender.isdecimal():
        ton, npi = TON.UNKNOWN, NPI.ISDN
    else:
        ton, npi = TON.ALPHANUMERIC, NPI.UNKNOWN
    try:
        ton = TON(int(options["source_ton"])) if "source_ton" in options else ton
        npi = NPI(int(options["source_npi"])) if "source_npi" in options else npi
        return PhoneNumber(sender.removeprefix("+"), ton, npi)
    except ValueError:
        raise Misconfigured("TRACKER_SMS_FROM, or source_ton and source_npi in TRACKER_SMS") from None


TRANSPORT = SmppTransport()
