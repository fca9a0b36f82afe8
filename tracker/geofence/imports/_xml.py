"""Reads XML as a tree, in bounded memory and without any reference.

Expat is asked directly, because the prefixes of such files are often not declared. A document type is
refused, and with it every entity (CWE-776, CWE-611).
"""

from collections.abc import Iterator
from xml.parsers import expat

from tracker.domain.errors import Invalid

DEPTH = 64
ELEMENTS_MOST = 200_000
"""About 60 MB of memory: tracks of 60,000 points that tell their height and time."""


class Element:
    """One element, its name without a prefix; `text` is what stands directly in it."""

    __slots__ = ("_texts", "attributes", "children", "name")

    def __init__(self, name: str, attributes: dict[str, str]) -> None:
        self.name = name
        self.attributes = attributes
        self.children: list[Element] = []
        self._texts: list[str] = []

    @property
    def text(self) -> str:
        """The text, without the spaces around it."""
        return "".join(self._texts).strip()

    def add(self, text: str) -> None:
        """Take more text."""
        self._texts.append(text)

    def child(self, name: str) -> "Element | None":
        """Return the first child of a name."""
        return next((each for each in self.children if each.name == name), None)

    def text_of(self, name: str) -> str:
        """Return the text of the first child of a name, or ""."""
        found = self.child(name)
        return found.text if found else ""

    def every(self, *names: str) -> Iterator["Element"]:
        """Yield the elements of these names at any depth, in the order of the file, none within another."""
        for each in self.children:
            if each.name in names:
                yield each
            else:
                yield from each.every(*names)


def tree(content: bytes) -> Element:
    """Return the outermost element.

    Raises:
        Invalid: it is not well-formed, too large, nests beyond 64, or has a document type.
    """
    builder = _Builder()
    try:
        builder.parser.Parse(content, True)
    except expat.ExpatError:
        raise Invalid(("file", "is damaged or not complete")) from None
    except (ValueError, LookupError):
        # An encoding that Python does not know, or text that is not of the encoding it claims.
        raise Invalid(("file", "is damaged or not complete")) from None
    return builder.top.children[0]


class _Builder:
    def __init__(self) -> None:
        self.top = Element("", {})
        self._open = [self.top]
        self._count = 0
        parser = expat.ParserCreate(namespace_separator=None)
        parser.buffer_text = True
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._text
        parser.StartDoctypeDeclHandler = self._doctype
        self.parser = parser

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        self._count += 1
        if len(self._open) > DEPTH or self._count > ELEMENTS_MOST:
            raise Invalid(("file", "is too large"))
        element = Element(name.rpartition(":")[2], attributes)
        self._open[-1].children.append(element)
        self._open.append(element)

    def _end(self, _name: str) -> None:
        self._open.pop()

    def _text(self, text: str) -> None:
        self._open[-1].add(text)

    def _doctype(self, *_: object) -> None:
        raise Invalid(("file", "has a document type, which may not be"))


def number(text: str) -> float | None:
    """Return a number of a file; None for what is none. Range and finiteness are the shape's to judge."""
    try:
        return float(text)
    except ValueError:
        return None
