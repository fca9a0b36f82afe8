"""KML 2.2 (OGC 07-147r2): one placemark a position, dated, so that viewers can play the track.

What KML has no place for stands in ExtendedData, named as the product names it.
"""

from collections.abc import Iterable, Iterator, Sequence

from tracker.domain.position import Placed
from tracker.history.exports._writer import as_text, known, rfc3339
from tracker.history.exports._xml import escaped

_HEAD = (
    '<?xml version="1.0" encoding="UTF-8"?>\n'
    '<kml xmlns="http://www.opengis.net/kml/2.2"><Document><name>{title}</name>\n'
)
_TAIL = "</Document></kml>\n"


class Kml:
    """Writes dated placemarks."""

    name = "kml"
    media_type = "application/vnd.google-earth.kml+xml"

    def write(self, pages: Iterable[Sequence[Placed]], title: str) -> Iterator[bytes]:
        """Yield a whole KML file."""
        yield _HEAD.replace("{title}", escaped(title)).encode()
        for page in pages:
            yield "".join(map(_placemark, page)).encode()
        yield _TAIL.encode()


def _placemark(placed: Placed) -> str:
    position = placed.position
    data = "".join(
        f'<Data name="{name}"><value>{escaped(as_text(value))}</value></Data>'
        for name, value in known(position)
    )
    more = f"<ExtendedData>{data}</ExtendedData>" if data else ""
    altitude = "" if position.altitude_m is None else f",{position.altitude_m!r}"
    return (
        f"<Placemark><TimeStamp><when>{rfc3339(position.recorded_at)}</when></TimeStamp>{more}"
        f"<Point><coordinates>{position.at.lon!r},{position.at.lat!r}{altitude}</coordinates></Point>"
        "</Placemark>\n"
    )


FORMAT = Kml()
