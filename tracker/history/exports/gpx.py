"""GPX 1.1 (https://www.topografix.com/GPX/1/1/gpx.xsd): one track, one segment.

What GPX has no place for stands in `extensions`, in a namespace of this product's own.
"""

from collections.abc import Iterable, Iterator, Sequence

from tracker.domain.position import Placed
from tracker.history.exports._writer import as_text, known, rfc3339
from tracker.history.exports._xml import escaped

NAMESPACE = "urn:ryadom:gpx:1"
_HEAD = (
    '<?xml version="1.0" encoding="UTF-8"?>\n'
    '<gpx version="1.1" creator="Ryadom" xmlns="http://www.topografix.com/GPX/1/1"'
    ' xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"'
    f' xmlns:ryadom="{NAMESPACE}"'
    ' xsi:schemaLocation="http://www.topografix.com/GPX/1/1 http://www.topografix.com/GPX/1/1/gpx.xsd">\n'
    "<trk><name>{title}</name><trkseg>\n"
)
_TAIL = "</trkseg></trk></gpx>\n"
_OWN = {"altitude_m": "ele", "satellites": "sat", "hdop": "hdop"}


class Gpx:
    """Writes a track."""

    name = "gpx"
    media_type = "application/gpx+xml"

    def write(self, pages: Iterable[Sequence[Placed]], title: str) -> Iterator[bytes]:
        """Yield a whole GPX file."""
        yield _HEAD.replace("{title}", escaped(title)).encode()
        for page in pages:
            yield "".join(map(_point, page)).encode()
        yield _TAIL.encode()


def _point(placed: Placed) -> str:
    position = placed.position
    own: dict[str, str] = {}
    more = []
    for name, value in known(position):
        text = escaped(as_text(value))
        if name in _OWN:
            own[_OWN[name]] = text
        else:
            more.append(f"<ryadom:{name}>{text}</ryadom:{name}>")
    # The schema wants this order.
    parts = [f"<{name}>{own[name]}</{name}>" for name in ("ele",) if name in own]
    parts.append(f"<time>{rfc3339(position.recorded_at)}</time>")
    parts += [f"<{name}>{own[name]}</{name}>" for name in ("sat", "hdop") if name in own]
    if more:
        parts.append(f"<extensions>{''.join(more)}</extensions>")
    return f'<trkpt lat="{position.at.lat!r}" lon="{position.at.lon!r}">{"".join(parts)}</trkpt>\n'


FORMAT = Gpx()
