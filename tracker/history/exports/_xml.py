"""Text within XML 1.0. Pure."""

import re

# XML 1.0, production 2: these characters may not stand in a document at all, not even as references.
_FORBIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_ESCAPES = str.maketrans(
    # White space as references, so that readers that trim or join lines leave it alone.
    {"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "\t": "&#9;", "\n": "&#10;", "\r": "&#13;"}
)


def escaped(text: str) -> str:
    """Return text as the content of an element or a quoted attribute; what XML cannot hold is U+FFFD."""
    return _FORBIDDEN.sub("\ufffd", text).translate(_ESCAPES)
