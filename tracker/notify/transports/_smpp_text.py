"""How a text becomes short messages, and what a receipt says. Pure.

Text of the GSM alphabet (3GPP TS 23.038) takes one octet a character, `data_coding` 0; any other is UTF-16
big-endian, `data_coding` 8. What does not fit in one message is cut into parts behind a user data header with
a concatenation element (3GPP TS 23.040, 9.2.3.24.1: 05 00 03, reference, how many, which).
"""

from dataclasses import dataclass

from aiosmpplib import GSM7BitCodec

from tracker.domain.errors import Refused

PARTS_MOST = 10
"""Parts of one message at most: what an alert needs, three times over."""

_GSM_ALONE, _GSM_PART = 160, 153
_WIDE_ALONE, _WIDE_PART = 140, 134
_ESCAPE = 0x1B
_RECEIPT_TEXT_OCTETS = 255
_RECEIPTED_MESSAGE_ID, _MESSAGE_STATE, _MESSAGE_PAYLOAD = 0x001E, 0x0427, 0x0424
_IS_RECEIPT, _KIND_MASK = 0x04, 0x3C
# SMPP 3.4, 5.2.28 and appendix B. Whatever is under way says nothing yet.
_FINAL_STATES = {2: True, 3: False, 4: False, 5: False, 8: False}
_FINAL_WORDS = {
    "DELIVRD": True,
    "EXPIRED": False,
    "DELETED": False,
    "UNDELIV": False,
    "REJECTD": False,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One short message; `wide` is UTF-16, `headed` begins with a user data header."""

    octets: bytes
    wide: bool
    headed: bool


def parts_of(text: str, reference: int) -> tuple[Part, ...]:
    """Return the short messages of a text; `reference` (its low octet) joins them on the phone.

    Raises:
        Refused: the text is empty or needs more than ten.
    """
    try:
        octets, wide = GSM7BitCodec().encode(text)[0], False
    except UnicodeEncodeError:
        octets, wide = text.encode("utf-16-be", "replace"), True
    if not octets:
        raise Refused("the text is empty")
    if len(octets) <= (_WIDE_ALONE if wide else _GSM_ALONE):
        return (Part(octets=octets, wide=wide, headed=False),)
    pieces = _cut(octets, wide=wide)
    if len(pieces) > PARTS_MOST:
        raise Refused(f"the text needs {len(pieces)} messages, {PARTS_MOST} are the most")
    return tuple(
        Part(octets=bytes((5, 0, 3, reference & 0xFF, len(pieces), number)) + piece, wide=wide, headed=True)
        for number, piece in enumerate(pieces, 1)
    )


def _cut(octets: bytes, *, wide: bool) -> list[bytes]:
    """Cut into pieces that fit behind a header, never within one character."""
    pieces = []
    start, most = 0, _WIDE_PART if wide else _GSM_PART
    while start < len(octets):
        end = min(start + most, len(octets))
        if end < len(octets):
            if wide and 0xD8 <= octets[end - 2] <= 0xDB:
                end -= 2
            elif not wide and octets[end - 1] == _ESCAPE:
                end -= 1
        pieces.append(octets[start:end])
        start = end
    return pieces


@dataclass(frozen=True, slots=True, kw_only=True)
class Fate:
    """What a receipt says of the message that the SMSC calls `smsc_id`."""

    smsc_id: str
    delivered: bool


def fate_of(body: bytes) -> Fate | None:
    """Read the body of a `deliver_sm`; None if it is no receipt, a wrong one, or one of an interim state.

    Source: SMPP 3.4, 4.6.1, appendix B; the optional parameters go before the text, whose form every SMSC
    makes up for itself (dates of 10 or 12 digits, errors in hexadecimal).
    """
    try:
        esm_class, text, optional = _parsed(body)
    except (IndexError, ValueError):
        return None
    if esm_class & _KIND_MASK != _IS_RECEIPT:
        return None
    words = _words((text or optional.get(_MESSAGE_PAYLOAD, b""))[:_RECEIPT_TEXT_OCTETS].decode("latin-1"))
    smsc_id = optional.get(_RECEIPTED_MESSAGE_ID, b"").rstrip(b"\0").decode("latin-1") or words.get("id", "")
    state = optional.get(_MESSAGE_STATE, b"")
    if len(state) == 1:
        delivered = _FINAL_STATES.get(state[0])
    else:
        delivered = _FINAL_WORDS.get(words.get("stat", "").upper())
    return Fate(smsc_id=smsc_id, delivered=delivered) if smsc_id and delivered is not None else None


def _parsed(body: bytes) -> tuple[int, bytes, dict[int, bytes]]:
    """Return esm_class, short_message and the optional parameters.

    Raises:
        IndexError, ValueError: the body ends early.
    """
    at = body.index(0) + 1  # service_type
    for _ in ("source", "destination"):
        at = body.index(0, at + 2) + 1  # type of number, numbering plan, address
    esm_class = body[at]
    at = body.index(0, at + 3) + 1  # protocol_id, priority_flag, schedule_delivery_time
    at = body.index(0, at) + 1  # validity_period
    # registered_delivery, replace_if_present_flag, data_coding, sm_default_msg_id
    length = body[at + 4]
    text = body[at + 5 : at + 5 + length]
    optional = {}
    at += 5 + length
    while at + 4 <= len(body):
        tag, size = int.from_bytes(body[at : at + 2], "big"), int.from_bytes(body[at + 2 : at + 4], "big")
        optional[tag] = body[at + 4 : at + 4 + size]
        at += 4 + size
    return esm_class, text, optional


def _words(text: str) -> dict[str, str]:
    """Return `id` and `stat` of "id:IIII sub:001 ... stat:DDDDDDD err:E ..."."""
    found: dict[str, str] = {}
    for word in text.split():
        name, colon, value = word.partition(":")
        if colon and name.lower() in {"id", "stat"}:
            found.setdefault(name.lower(), value)
    return found
