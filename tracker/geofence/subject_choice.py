"""Which subjects a fence or a rule is for: some by name, or all."""

from collections.abc import Container, Mapping, Sequence
from typing import Any, NamedTuple

from tracker.domain.errors import Invalid
from tracker.domain.subject import Subject


class SubjectChoice(NamedTuple):
    """Some subjects, or with `every` all of them, later ones too."""

    subject_ids: tuple[str, ...]
    every: bool


def read(
    given: Mapping[str, Any],
    subjects: Sequence[Subject],
    *,
    at: str = "",
    present: SubjectChoice | None = None,
) -> SubjectChoice:
    """Return the choice of `subject_ids` and `all_subjects`; with `present` what is not given stays.

    Ids come back each once, in their order. Of the two the one that is given alone counts.

    Raises:
        Invalid: (`at` + "subject_ids" | "all_subjects", why) neither or both, unknown subjects.
    """
    ids = _ids(given.get("subject_ids"), {each.subject_id for each in subjects}, f"{at}subject_ids")
    every = given.get("all_subjects")
    if every is not None and not isinstance(every, bool):
        raise Invalid((f"{at}all_subjects", "must be true or false"))
    if present is not None and ids is None and every is None:
        return present
    if ids and every:
        raise Invalid((f"{at}all_subjects", "choose some, or all"))
    if every:
        return SubjectChoice((), every=True)
    if ids is None and present is not None:
        ids = present.subject_ids
    if not ids:
        raise Invalid((f"{at}subject_ids", "choose at least one, or all"))
    return SubjectChoice(ids, every=False)


def _ids(given: Any, known: Container[str], at: str) -> tuple[str, ...] | None:
    if given is None:
        return None
    if not isinstance(given, Sequence) or isinstance(given, str):
        raise Invalid((at, "must be a list"))
    errors = [
        (f"{at}.{number}", "is not known")
        for number, each in enumerate(given)
        if not isinstance(each, str) or each not in known
    ]
    if errors:
        raise Invalid(*errors[:20])
    return tuple(sorted(set(given)))
