"""Reads untrusted JSON and CBOR into plain values that the database can hold, or refuses them."""

import io
import json
import math
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

import cbor2
import msgspec

from tracker.domain.errors import Malformed, Reason

DEPTH = 8
"""How deep lists and objects may lie within each other."""

_decoded = msgspec.json.Decoder().decode
_encoded = msgspec.json.Encoder().encode
_MAY_HOLD_COLONS: frozenset[type[Any]] = frozenset({str, dict, list})


def check_size(payload: bytes, limit_bytes: int) -> None:
    """Pass if the payload has at most `limit_bytes`.

    Raises:
        Malformed: TOO_LARGE.
    """
    if len(payload) > limit_bytes:
        raise Malformed(Reason.TOO_LARGE, f"more than {limit_bytes} bytes")


def from_json(payload: bytes, limit_bytes: int) -> Any:
    """Return the value of a JSON text of at most `limit_bytes` (RFC 8259, each key once).

    Raises:
        Malformed: TOO_LARGE, NOT_TEXT, NOT_JSON (also NaN, numbers beyond a double, a key twice, too deep).
    """
    check_size(payload, limit_bytes)
    try:
        value = _decoded(payload)
        # The common message is one flat object whose strings have no colons and no escapes.
        if value.__class__ is dict and payload.count(b":") == len(value) and b"\\" not in payload:
            return value
        repeats = _keys_repeat(payload, value)
    except UnicodeDecodeError:
        raise Malformed(Reason.NOT_TEXT, "UTF-8") from None
    except RecursionError:
        raise Malformed(Reason.NOT_JSON, "too deep") from None
    except ValueError:
        # Also msgspec's own errors, and integers of more digits than Python reads.
        raise Malformed(Reason.NOT_JSON, "syntax or number") from None
    if repeats:
        raise Malformed(Reason.NOT_JSON, "a key is there twice")
    return value


def _keys_repeat(payload: bytes, value: Any) -> bool:
    # The decoder keeps the last of two equal keys. Without escapes each colon of the text ends a key or
    # lies in a string, so counting tells exactly whether one was dropped, for less than collecting pairs.
    if b"\\" not in payload:
        return payload.count(b":") != _colons(value)
    repeated: list[bool] = []

    def collect(pairs: list[tuple[str, Any]]) -> None:
        repeated.append(len(dict(pairs)) != len(pairs))

    json.loads(payload, object_pairs_hook=collect)
    return any(repeated)


def _colons(value: Any) -> int:
    if isinstance(value, str):
        return value.count(":")
    if isinstance(value, dict):
        found = len(value) + "".join(value).count(":")
        for each in value.values():
            # Numbers are the many; asking for the type by name spares them a call.
            if each.__class__ in _MAY_HOLD_COLONS:
                found += _colons(each)
        return found
    if isinstance(value, list):
        return sum(map(_colons, value))
    return 0


def from_cbor(payload: bytes, limit_bytes: int) -> Any:
    """Return the value of one CBOR item of at most `limit_bytes` (RFC 8949), without tags, map keys once.

    Raises:
        Malformed: TOO_LARGE, NOT_CBOR.
    """
    check_size(payload, limit_bytes)
    stream = io.BytesIO(payload)
    try:
        value = cbor2.CBORDecoder(
            stream,
            max_depth=DEPTH + 2,
            allow_duplicate_keys=False,
            strict_hashable_types=True,
            semantic_decoders=_NO_TAGS,
            tag_hook=_refuse_tag,
        ).decode()
    except Exception:
        raise Malformed(Reason.NOT_CBOR, "syntax, depth or tag") from None
    if stream.tell() != len(payload):
        # A second item would be lost without a word.
        raise Malformed(Reason.NOT_CBOR, "more than one item")
    return value


def _refuse_tag(*_: Any) -> Any:
    raise ValueError("tag")


class _EveryTagRefused(Mapping[int, Any]):
    # Tags make patterns, fractions and references, with which a small item can stand for an endless one.
    def __getitem__(self, tag: int) -> Any:
        return _refuse_tag

    def get(self, tag: int, default: Any = None) -> Any:  # noqa: ARG002
        return _refuse_tag

    def __iter__(self) -> Iterator[int]:
        return iter(())

    def __len__(self) -> int:
        return 0


_NO_TAGS = _EveryTagRefused()


def check_text(text: str, field: str) -> None:
    """Pass if PostgreSQL can hold `text`.

    Raises:
        Malformed: WRONG_SHAPE: it has a NUL or half of a surrogate pair.
    """
    # Neither NUL nor half of a pair is printable, and what is not printable is rare.
    if not text.isprintable() and ("\0" in text or not _encodes(text)):
        raise Malformed(Reason.WRONG_SHAPE, f"{field}: characters")


def _encodes(text: str) -> bool:
    if text.isascii():
        return True
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def check_plain(value: Any, field: str, depth: int = 0) -> None:
    """Pass if `value` is JSON that PostgreSQL can hold, at most 8 levels deep.

    Raises:
        Malformed: WRONG_SHAPE.
    """
    kind = value.__class__
    if kind is int:
        if not -(2**63) <= value < 2**63:
            raise Malformed(Reason.WRONG_SHAPE, f"{field}: number")
    elif kind is float:
        if not math.isfinite(value):
            raise Malformed(Reason.WRONG_SHAPE, f"{field}: number")
    elif kind is str:
        check_text(value, field)
    elif kind is dict or kind is list:
        if depth >= DEPTH:
            raise Malformed(Reason.WRONG_SHAPE, f"{field}: too deep")
        for each in value:
            if kind is dict:
                if each.__class__ is not str:
                    raise Malformed(Reason.WRONG_SHAPE, f"{field}: key")
                check_plain(value[each], field, depth + 1)
            check_plain(each, field, depth + 1)
    elif value is not None and kind is not bool:
        raise Malformed(Reason.WRONG_SHAPE, f"{field}: type")


def are_simple(members: Mapping[str, Any]) -> bool:
    """Tell at once of most members that `check_plain` passes every name and value; False tells nothing."""
    if not "".join(members).isprintable():
        return False
    for value in members.values():
        kind = value.__class__
        if kind is str:
            if not value.isprintable():
                return False
        elif kind is int:
            if not -(2**63) <= value < 2**63:
                return False
        elif not (kind is bool or (kind is float and math.isfinite(value))):
            return False
    return True


def size_bytes(value: Any) -> int:
    """Return how long a plain value is as JSON."""
    return len(_encoded(value))


def epoch_time(seconds: float) -> datetime:
    """Return the moment of Unix time `seconds`, to the microsecond.

    Raises:
        Malformed: TIME_BEFORE_2000 or TIME_IN_FUTURE: beyond the years 1..9999.
    """
    try:
        return datetime.fromtimestamp(seconds, UTC)
    except (OverflowError, ValueError, OSError):
        reason = Reason.TIME_BEFORE_2000 if seconds < 0 else Reason.TIME_IN_FUTURE
        raise Malformed(reason, "time") from None


def refusal(error: msgspec.ValidationError) -> Malformed:
    """Return why msgspec refused: its text names types and limits, never the value (msgspec 0.22)."""
    text = str(error)
    if "required field `time`" in text:
        return Malformed(Reason.NO_TIME, "time")
    if ">= " in text or "<= " in text:
        return Malformed(Reason.OUT_OF_RANGE, text)
    return Malformed(Reason.WRONG_SHAPE, text)
