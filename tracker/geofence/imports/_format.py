"""What every format of a file of fences must be able to do."""

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple, Protocol


class Found(NamedTuple):
    """A geometry of a file, as GeoJSON and not yet checked; `number` counts them from 1, `name` may be ""."""

    number: int
    name: str
    geometry: Mapping[str, Any]
    properties: Mapping[str, Any]


class Format(Protocol):
    """Reads the geometries of one format."""

    name: str
    title: str

    def matches(self, head: bytes) -> bool:
        """Tell from the first bytes of a file, at most 4,096, whether it is of this format."""

    def read(self, content: bytes) -> Iterator[Found]:
        """Yield the geometries in the order of the file.

        Raises:
            Invalid: of `file`: it cannot be read.
        """
