"""Reads JSON files of any size element by element, in bounded memory. Pure.

The files that matter are an array of elements, or an object whose members are arrays of elements. Each
element is read whole by the standard library's scanner; only one that fails there is walked bracket by
bracket, to tell a broken element, which is passed over, from one that the chunk does not hold yet.
"""

import codecs
import json
import re
from collections.abc import Iterator
from typing import Any, BinaryIO, NamedTuple

from tracker.history.imports._record import Broken, Ending

CHUNK_BYTES = 256 * 1024
ELEMENT_CHARACTERS = 8 * 1024 * 1024
"""How long one element may be: a day of a phone's timeline has less than 1 MiB."""

DEPTH = 1_000

_BLANK = re.compile(r"[ \t\r\n]*")
_TOKEN = re.compile(r'"[^"\\]*+(?:\\.[^"\\]*+)*+"|["\[\]{}]', re.DOTALL)
_SCALAR_END = re.compile(r"[,\]}\s]")


class Element(NamedTuple):
    """One value: an element of the array `key` ("" for the outermost), or the member `key` itself.

    `number` counts the elements of the file from 1; `value` is Unreadable where it is no JSON.
    """

    key: str
    number: int
    value: Any
    is_member: bool


class Unreadable:
    """Stands for an element that is no JSON."""


UNREADABLE = Unreadable()


def _refuse(constant: str) -> None:
    raise ValueError(constant)


_scan = json.JSONDecoder(parse_constant=_refuse).raw_decode


class _Text:
    """The part of the file that is being looked at."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self._decoder = codecs.getincrementaldecoder("utf-8-sig")("replace")
        self._chunk_bytes = CHUNK_BYTES
        self._ended = False
        self.text = ""
        self.at = 0

    def more(self) -> bool:
        """Read on, twice as much each time an element does not end; tell whether there was more."""
        if self._ended:
            return False
        self.text = self.text[self.at :]
        self.at = 0
        if len(self.text) > ELEMENT_CHARACTERS:
            raise Broken(Ending.TOO_LARGE)
        read = self._stream.read(self._chunk_bytes)
        self._ended = not read
        self.text += self._decoder.decode(read, final=self._ended)
        self._chunk_bytes = min(self._chunk_bytes * 2, 4 * 1024 * 1024)
        return not self._ended

    def settled(self) -> None:
        """Take note that an element was read: chunks are small again."""
        self._chunk_bytes = CHUNK_BYTES

    def peek(self) -> str:
        """Pass over blanks and return the next character; "" at the end of the file."""
        while True:
            found = _BLANK.match(self.text, self.at)
            self.at = found.end() if found else self.at
            if self.at < len(self.text):
                return self.text[self.at]
            if not self.more():
                return ""

    def value(self) -> Any:
        """Read one value and pass over it; UNREADABLE for one that is no JSON but ends.

        Raises:
            Broken: it does not end.
        """
        while True:
            try:
                read, end = _scan(self.text, self.at)
            except (ValueError, RecursionError):
                end = _end_of(self.text, self.at)
                read = UNREADABLE
            if end > 0 and (end < len(self.text) or self._ended):
                self.at = end
                self.settled()
                return read
            if not self.more() and end <= 0:
                raise Broken(Ending.CUT_SHORT)


def _end_of(text: str, start: int) -> int:
    """Return where the value that begins at `start` ends, by its brackets alone; 0 if it does not end.

    Raises:
        Broken: it nests beyond 1,000.
    """
    if start >= len(text):
        return 0
    if text[start] not in '"[{':
        found = _SCALAR_END.search(text, start)
        # A bracket where a value should be would otherwise be passed over for ever.
        return max(found.start(), start + 1) if found else 0
    depth = 0
    for token in _TOKEN.finditer(text, start):
        first = token[0][0]
        if first in "[{":
            depth += 1
            if depth > DEPTH:
                raise Broken(Ending.UNSAFE)
        elif first in "]}":
            depth -= 1
        elif len(token[0]) == 1:
            return 0
        if depth == 0:
            return token.end()
    return 0


def elements(stream: BinaryIO) -> Iterator[Element]:
    """Yield the elements of the outermost array, or of each array in the outermost object, in order.

    A member of the outermost object that is no array comes as one element, `is_member` true.

    Raises:
        Broken: the rest is no JSON, ends early, or one element is longer than 8 Mi characters.
    """
    text = _Text(stream)
    opening = text.peek()
    if opening == "[":
        yield from _array(text, "", 0)
    elif opening == "{":
        yield from _members(text)
    else:
        raise Broken(Ending.NOT_WELL_FORMED if opening else Ending.CUT_SHORT)
    if text.peek():
        raise Broken(Ending.NOT_WELL_FORMED)


def _members(text: _Text) -> Iterator[Element]:
    text.at += 1
    number = 0
    while (mark := text.peek()) != "}":
        if mark == ",":
            text.at += 1
            continue
        key = _key(text, mark)
        if text.peek() == "[":
            for element in _array(text, key, number):
                number = element.number
                yield element
        else:
            number += 1
            yield Element(key, number, text.value(), True)
    text.at += 1


def _key(text: _Text, mark: str) -> str:
    if not mark:
        raise Broken(Ending.CUT_SHORT)
    key = text.value() if mark == '"' else None
    if not isinstance(key, str) or text.peek() != ":":
        raise Broken(Ending.NOT_WELL_FORMED if text.peek() else Ending.CUT_SHORT)
    text.at += 1
    return key


def _array(text: _Text, key: str, number: int) -> Iterator[Element]:
    text.at += 1
    while (mark := text.peek()) != "]":
        if mark == ",":
            text.at += 1
            continue
        if not mark:
            raise Broken(Ending.CUT_SHORT)
        if mark in "}:":
            raise Broken(Ending.NOT_WELL_FORMED)
        number += 1
        yield Element(key, number, text.value(), False)
    text.at += 1
