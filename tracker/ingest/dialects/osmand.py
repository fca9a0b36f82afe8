"""OsmAnd and all that speaks its protocol to a Traccar server, over HTTP (`_osmand_query`).

The protocol knows no password: over HTTP a device of ours sends its own besides the `id`.
"""

from tracker.domain.errors import Malformed, Reason
from tracker.ingest.dialects._fields import PAYLOAD_BYTES
from tracker.ingest.dialects._message import NOTHING, Decoded, Message
from tracker.ingest.dialects._osmand_query import decode_query
from tracker.ingest.dialects._values import check_size


class OsmAnd:
    """The dialect of the OsmAnd protocol: a query, or a form as the body; nothing of it goes over MQTT."""

    name = "osmand"
    root = None
    topics: tuple[str, ...] = ()

    def decode(self, message: Message) -> Decoded:
        """Return what a request says; one without coordinates tells at most the device's state.

        Raises:
            Malformed: it cannot be read or cannot be true, or does not say which device it is from.
        """
        check_size(message.payload, PAYLOAD_BYTES)
        try:
            form = message.payload.decode().strip()
        except UnicodeDecodeError:
            raise Malformed(Reason.NOT_TEXT, "UTF-8") from None
        # A whole request target, as logs keep it.
        if form.startswith("/?"):
            form = form[2:]
        query = "&".join(each for each in (message.query, form) if each)
        if len(query) > PAYLOAD_BYTES:
            raise Malformed(Reason.TOO_LARGE, f"more than {PAYLOAD_BYTES} characters")
        return decode_query(query, message) if query else NOTHING


DIALECT = OsmAnd()
