"""What all tables share: the metadata with its naming convention, identities and moments as column types."""

from datetime import datetime
from functools import lru_cache
from typing import Any

from sqlalchemy import BigInteger, Column, DateTime, Dialect, MetaData
from sqlalchemy.types import TypeDecorator

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

# The same few thousand identities come again and again, a thousand in each batch of ingest.
_SIGN = 1 << 63
_WRAP = 1 << 64


@lru_cache(maxsize=65_536)
def id_to_int(identity: str) -> int:
    """Return the signed 64-bit integer that stores an identity of 16 hexadecimal characters."""
    number = int(identity, 16)
    return number - _WRAP if number >= _SIGN else number


@lru_cache(maxsize=65_536)
def id_from_int(number: int) -> str:
    """Return the identity that `id_to_int` made `number` of."""
    return f"{number & (_WRAP - 1):016x}"


class Id(TypeDecorator[str]):
    """An identity: text of 16 hexadecimal characters outside, bigint inside (docs/adr/0002)."""

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> int | None:  # noqa: ARG002
        return None if value is None else id_to_int(value)

    def process_result_value(self, value: int | None, dialect: Dialect) -> str | None:  # noqa: ARG002
        return None if value is None else id_from_int(value)


def moment(name: str, **options: Any) -> Column[datetime]:
    """Return a `timestamptz` column, not null unless said."""
    options.setdefault("nullable", False)
    return Column(name, DateTime(timezone=True), **options)
