"""What people call the dialects, and how a source's state is put in words, in the reader's language."""

from flask_babel import gettext as _

from tracker.domain.source import Source, SourceDetail, SourceState


def titles() -> dict[str, tuple[str, str]]:
    """Return (title, text) of each dialect that is known by name; a newcomer goes by its own name."""
    return {
        "owntracks": (_("Phone with OwnTracks"), _("A free app for Android and iPhone; set up by a link.")),
        "native": (_("Tracker with MQTT"), _("Your own device: publishes JSON or CBOR.")),
        "traccar_client": (_("Traccar Client"), _("An app for Android and iPhone, over HTTP.")),
        "osmand": (_("OsmAnd protocol"), _("Apps and trackers that call an address with their position.")),
        "traccar_forward": (_("Traccar server"), _("Brings its more than 200 kinds of trackers along.")),
        "teltonika": (_("Teltonika tracker"), _("A box in a vehicle that speaks MQTT.")),
        "tts_v3": (_("The Things Stack"), _("LoRaWAN collars and tags, also of The Things Network.")),
        "chirpstack_v4": (_("ChirpStack"), _("LoRaWAN collars and tags on a server of your own.")),
        "meshtastic": (_("Meshtastic"), _("Radio nodes, by one that is connected to the internet.")),
        "ovms": (_("Open Vehicle Monitoring System"), _("A module in an electric car.")),
        "teslamate": (_("TeslaMate"), _("A logger for Tesla cars at your home.")),
        "ha_json": (_("Home Assistant"), _("Attributes of its device trackers.")),
        "geojson": (_("GeoJSON or Overland"), _("Programs that send GeoJSON features.")),
        "nmea": (_("NMEA 0183"), _("Receivers that send GPS sentences as they are.")),
        "pui": (_("PUI tracker"), _("A vehicle tracker with its own JSON.")),
    }


def title(dialect: str) -> str:
    """Return what a dialect is called."""
    return titles().get(dialect, (dialect, ""))[0]


def state_words(source: Source) -> tuple[str, str]:
    """Return how it stands with a source, and what to do about it ("" if nothing)."""
    if source.paused:
        return _("paused"), ""
    states = {
        SourceState.WAITING: _("waiting for its turn"),
        SourceState.CONNECTING: _("connecting"),
        SourceState.CONNECTED: _("connected"),
        SourceState.REFUSED: _("refused"),
        SourceState.UNREACHABLE: _("not reachable"),
        SourceState.FORBIDDEN: _("not allowed"),
    }
    details = {
        SourceDetail.PRIVATE_ADDRESS: _(
            "Its address is in a private network, which the service does not call."
        ),
        SourceDetail.NO_SUCH_HOST: _("There is no host of this name."),
        SourceDetail.NO_ANSWER: _("Nobody answers there. Check host and port."),
        SourceDetail.CONNECTION_REFUSED: _("Nobody listens there. Check host and port."),
        SourceDetail.CONNECTION_LOST: _("The connection broke. It is tried again by itself."),
        SourceDetail.CERTIFICATE: _("Its certificate is not valid for this host."),
        SourceDetail.TLS: _("It does not speak TLS there. Check the port."),
        SourceDetail.LOGIN_REFUSED: _("It does not accept the user name or the password."),
        SourceDetail.TOPICS_REFUSED: _("It does not let this user read these topics."),
        SourceDetail.REFUSED: _("It does not let us in."),
        SourceDetail.MESSAGE_TOO_LARGE: _("It sent a message that is too large. Choose fewer topics."),
        SourceDetail.LOGIN_UNREADABLE: _("The stored password cannot be read. Give it again."),
        SourceDetail.NOT_TAKEN: _("The service was too busy. It is tried again by itself."),
    }
    return states[source.state], details.get(source.detail, "")
