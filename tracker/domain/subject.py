"""Whom or what a family keeps in sight."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class SubjectKind(StrEnum):
    """The kinds of subjects of the contract."""

    CHILD = "child"
    RELATIVE = "relative"
    PET = "pet"
    VEHICLE = "vehicle"
    PHONE = "phone"


NAME_LENGTH = 80


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """A child, relative, pet, vehicle or phone of one account; `name` is 1..80 characters."""

    account_id: str
    subject_id: str
    kind: SubjectKind
    name: str
    created_at: datetime
