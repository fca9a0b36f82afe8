"""Why messages are refused, said plainly, and what they hold, made legible."""

from typing import Any, Literal

from flask_babel import lazy_gettext as _

from tracker.domain.errors import Reason

_REASONS: dict[Reason, tuple[Any, Any]] = {
    Reason.TOO_LARGE: (
        _("Too large"),
        _("The message is longer than its dialect allows. Have the device send less at once."),
    ),
    Reason.NOT_TEXT: (_("Not text"), _("The message is not UTF-8 text. Check the format in the device.")),
    Reason.NOT_JSON: (_("Not JSON"), _("The message cannot be read as JSON. Check the device's format.")),
    Reason.NOT_CBOR: (_("Not CBOR"), _("The message cannot be read as CBOR. Check the device's format.")),
    Reason.WRONG_SHAPE: (
        _("Something is missing or has the wrong type"),
        _("The detail names it. Check that the device was added with the kind it really is."),
    ),
    Reason.OUT_OF_RANGE: (
        _("A number that cannot be true"),
        _("The detail names it. The device may use another unit, or its receiver is broken."),
    ),
    Reason.NULL_ISLAND: (
        _("Latitude and longitude are both 0"),
        _("The device has no position yet and should not send one. Nothing is lost."),
    ),
    Reason.NO_TIME: (
        _("No time"),
        _("The message does not say when it was. Set the device up to send it."),
    ),
    Reason.TIME_BEFORE_2000: (
        _("The device's clock is not set"),
        _("The time lies before the year 2000. The clock sets itself once the device sees satellites."),
    ),
    Reason.TIME_IN_FUTURE: (
        _("The time lies in the future"),
        _("The device's clock or time zone is wrong. Set it, then try again: time may have caught up."),
    ),
    Reason.BAD_TOPIC: (
        _("Wrong topic"),
        _("No position is expected under this topic. Compare it with the one of the device's page."),
    ),
    Reason.WRONG_SHARD: (
        _("Wrong topic"),
        _("The letter before the user name must be its first character. Compare it with the device's page."),
    ),
    Reason.UNKNOWN_DEVICE: (
        _("Unknown device"),
        _("A gateway speaks of a device that you have not added. Add it, then try again."),
    ),
    Reason.IDENTITY_MISMATCH: (
        _("It says that it is another device"),
        _("Two devices may share one set of credentials. Give each its own."),
    ),
    Reason.BAD_CIPHERTEXT: (
        _("It cannot be decrypted"),
        _("The secret in the app is not the one given here. Make them equal, then try again."),
    ),
    Reason.NO_KEY: (
        _("It is encrypted and there is no key"),
        _("Give the device the secret that is set in the app, then try again."),
    ),
    Reason.BAD_CHECKSUM: (
        _("Damaged on the way"),
        _("The checksum is wrong. If it happens often, check the cable or the radio."),
    ),
    Reason.NO_IDENTITY: (
        _("It does not say which device it is from"),
        _("Set the gateway up to send the device's name with each message."),
    ),
    Reason.OVER_RATE: (
        _("Far too many messages"),
        _("The device sends more than anybody needs. Set a longer interval, then try again."),
    ),
    Reason.STORE_REFUSED: (
        _("It could not be stored"),
        _("Something failed on our side. Try again; if it comes back, tell who runs this service."),
    ),
}


def explained(reason: Reason) -> tuple[str, str]:
    """Return a reason in a few words and what to do about it, in the reader's language."""
    words, cure = _REASONS[reason]
    return str(words), str(cure)


def legible(payload: bytes) -> tuple[Literal["text", "hex"], str]:
    """Return the payload as text if it is text without control characters, else as hexadecimal digits."""
    try:
        text = payload.decode()
    except UnicodeDecodeError as error:
        # What was cut off at the limit may end within a character.
        if error.reason != "unexpected end of data" or error.start < len(payload) - 3:
            return "hex", payload.hex()
        text = payload[: error.start].decode()
    if any(each < " " and each not in "\t\r\n" for each in text):
        return "hex", payload.hex()
    return "text", text
