"""Which address of a source's host the service may call. Pure: names are resolved elsewhere."""

from collections.abc import Sequence

from tracker.domain.network import is_public


class Forbidden(Exception):
    """The host has an address that the service never calls; only the deployment can allow it."""


def chosen(found: Sequence[str], *, private_allowed: bool) -> tuple[str, ...]:
    """Return the addresses to try, in the order of `found`, the numeric addresses that a host's name gave.

    One that is not public forbids the host: a name with addresses of both kinds is made to deceive.

    Raises:
        Forbidden: an address is not public and private ones are not allowed.
    """
    addresses = tuple(dict.fromkeys(found))
    if not private_allowed and not all(is_public(each) for each in addresses):
        raise Forbidden
    return addresses
