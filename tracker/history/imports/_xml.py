"""Reads XML of any size as a flat stream of elements, in bounded memory and without any reference. Pure.

Expat is asked directly, because a tree has to be pruned by hand and the prefixes of such files are often
not declared. A document type is refused, and with it every entity (CWE-776, CWE-611).
"""

from collections.abc import Iterator
from typing import BinaryIO, NamedTuple
from xml.parsers import expat

from tracker.history.imports._record import Broken, Ending

CHUNK_BYTES = 64 * 1024
DEPTH = 64
TEXT_CHARACTERS = 64 * 1024
SILENT_BYTES = 1024 * 1024
"""How much may be read without an element or text: expat keeps an unfinished tag or comment in memory."""


class Tag(NamedTuple):
    """The start (`text` None) or the end of an element, named without its prefix.

    `text` is what stood directly in it; "" if that was beyond 64 Ki characters.
    """

    name: str
    attributes: dict[str, str]
    text: str | None


class _Reader:
    def __init__(self) -> None:
        self.tags: list[Tag] = []
        self.heard = False
        self._texts: list[list[str]] = []
        self._lengths: list[int] = []
        parser = expat.ParserCreate(namespace_separator=None)
        parser.buffer_text = True
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._text
        parser.StartDoctypeDeclHandler = self._doctype
        self.parser = parser

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        if len(self._texts) >= DEPTH:
            raise Broken(Ending.UNSAFE)
        self.heard = True
        self._texts.append([])
        self._lengths.append(0)
        self.tags.append(Tag(name.rpartition(":")[2], attributes, None))

    def _end(self, name: str) -> None:
        self.heard = True
        length = self._lengths.pop()
        texts = self._texts.pop()
        text = "".join(texts) if length <= TEXT_CHARACTERS else ""
        self.tags.append(Tag(name.rpartition(":")[2], {}, text))

    def _text(self, text: str) -> None:
        self.heard = True
        if not self._texts:
            return
        self._lengths[-1] += len(text)
        if self._lengths[-1] <= TEXT_CHARACTERS:
            self._texts[-1].append(text)
        else:
            self._texts[-1].clear()

    def _doctype(self, *_: object) -> None:
        raise Broken(Ending.UNSAFE)


def tags(stream: BinaryIO) -> Iterator[Tag]:
    """Yield the start and the end of each element, in the order of the file.

    Raises:
        Broken: it is not well-formed, ends early, nests beyond 64, or has a document type.
    """
    reader = _Reader()
    silent_bytes = 0
    while True:
        chunk = stream.read(CHUNK_BYTES)
        reader.heard = False
        ending: Broken | None = None
        try:
            reader.parser.Parse(chunk, not chunk)
        except expat.ExpatError:
            ending = Broken(Ending.NOT_WELL_FORMED if chunk else Ending.CUT_SHORT)
        except Broken as error:
            ending = error
        except (ValueError, LookupError):
            # An encoding that Python does not know, or text that is not of the encoding it claims.
            ending = Broken(Ending.NOT_WELL_FORMED)
        yield from reader.tags
        reader.tags.clear()
        if ending:
            raise ending
        if not chunk:
            return
        silent_bytes = 0 if reader.heard else silent_bytes + len(chunk)
        if silent_bytes > SILENT_BYTES:
            raise Broken(Ending.TOO_LARGE)
