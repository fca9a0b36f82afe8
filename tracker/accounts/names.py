"""Names that people give: what is shown to them again, within bounds."""

import unicodedata

from tracker.domain.errors import Invalid
from tracker.domain.subject import NAME_LENGTH


def clean_name(text: str) -> str:
    """Return a name of 1..80 visible characters, blanks folded.

    Raises:
        Invalid: ("name", ...) it is empty, too long or holds control characters.
    """
    name = " ".join(unicodedata.normalize("NFC", text[: 4 * NAME_LENGTH]).split())
    if not name:
        raise Invalid(("name", "Give a name."))
    if len(name) > NAME_LENGTH or len(text) > 4 * NAME_LENGTH:
        raise Invalid(("name", "At most 80 characters."))
    if any(unicodedata.category(each) in {"Cc", "Cs", "Cn"} for each in name):
        raise Invalid(("name", "It holds characters that cannot be shown."))
    return name
