"""Names that people give: what is shown to them again, within bounds."""

import unicodedata

from tracker.domain.errors import Invalid
from tracker.domain.subject import NAME_LENGTH

JOINER = "\u200d"


def clean_name(text: str) -> str:
    """Return a name of 1..80 visible characters, blanks folded.

    Raises:
        Invalid: ("name", ...) nothing of it can be seen, it is too long or holds characters of control.
    """
    name = " ".join(unicodedata.normalize("NFC", text[: 4 * NAME_LENGTH]).split())
    if all(each == JOINER or unicodedata.category(each)[0] == "M" for each in name):
        raise Invalid(("name", "Give a name."))
    if len(name) > NAME_LENGTH or len(text) > 4 * NAME_LENGTH:
        raise Invalid(("name", "At most 80 characters."))
    # Marks that turn the direction of text could make one name look like another; the joiner makes emoji.
    if any(unicodedata.category(each) in {"Cc", "Cf", "Cs", "Cn", "Co"} and each != JOINER for each in name):
        raise Invalid(("name", "It holds characters that cannot be shown."))
    return name
