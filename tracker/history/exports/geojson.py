"""GeoJSON (RFC 7946): one Feature a position, its properties named as those of the API."""

import json
from collections.abc import Iterable, Iterator, Sequence

from tracker.domain.position import Placed
from tracker.history.exports._writer import known, rfc3339


class GeoJson:
    """Writes a FeatureCollection."""

    name = "geojson"
    media_type = "application/geo+json"

    def write(self, pages: Iterable[Sequence[Placed]], title: str) -> Iterator[bytes]:
        """Yield a whole FeatureCollection; `title` is its member `name`."""
        yield f'{{"type":"FeatureCollection","name":{_json(title)},"features":['.encode()
        before = "\n"
        for page in pages:
            if page:
                yield (before + ",\n".join(map(_feature, page))).encode()
                before = ",\n"
        yield b"\n]}\n"


def _feature(placed: Placed) -> str:
    position = placed.position
    return _json(
        {
            "type": "Feature",
            "geometry": {"type": "Point", "coordinates": [position.at.lon, position.at.lat]},
            "properties": {
                "subject_id": placed.subject_id,
                "device_id": placed.device_id,
                "recorded_at": rfc3339(position.recorded_at),
                "received_at": rfc3339(placed.received_at),
                **{
                    name: dict(value) if name in {"network", "attrs"} else value
                    for name, value in known(position)
                },
            },
        }
    )


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)


FORMAT = GeoJson()
