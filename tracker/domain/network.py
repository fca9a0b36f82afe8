"""Network addresses: where on the public internet a broker is, and what is not on it."""

import ipaddress
import re
from dataclasses import dataclass
from urllib.parse import urlsplit

from tracker.domain.errors import Invalid

HOST_LENGTH = 253
DEFAULT_PORT = {"mqtt": 1883, "mqtts": 8883}

_HOST = re.compile(r"[A-Za-z0-9_]([A-Za-z0-9_.-]*[A-Za-z0-9_])?\.?")
_LOCAL_NAMES = (".localhost", ".local", ".internal", ".home.arpa", ".lan")
_UNICAST_V6 = ipaddress.IPv6Network("2000::/3")
_CARRIES_V4 = tuple(
    ipaddress.IPv6Network(each)
    for each in ("2001::/32", "2002::/16")  # Teredo, RFC 4380; 6to4, RFC 3056
)
_SPECIAL_V4 = tuple(
    ipaddress.IPv4Network(each)
    for each in ("192.0.0.0/24", "192.88.99.0/24")  # protocol assignments, RFC 6890; 6to4 relays, RFC 7526
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """A host, by name or address, with its port; `tls` if it is to prove its name by a certificate."""

    host: str
    port: int
    tls: bool

    @property
    def url(self) -> str:
        """The endpoint as `mqtt(s)://host:port`."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{'mqtts' if self.tls else 'mqtt'}://{host}:{self.port}"


def endpoint_of(url: str) -> Endpoint:
    """Return what `mqtt(s)://host[:port]` names; the port is 1883 or 8883 if it is left out.

    Raises:
        Invalid: ("url", ...) it has another form, or names a user.
    """
    try:
        parts = urlsplit(url.strip())
        port = parts.port
        host = (parts.hostname or "").encode("idna").decode() if parts.hostname else ""
    except ValueError:  # UnicodeError is one
        raise Invalid(("url", "Write it as mqtts://host:8883.")) from None
    if parts.scheme not in DEFAULT_PORT or parts.path not in {"", "/"} or parts.query or parts.fragment:
        raise Invalid(("url", "Write it as mqtts://host:8883."))
    if parts.username is not None or parts.password is not None:
        raise Invalid(("url", "Write the user name and the password into their own fields."))
    if port == 0 or len(host) > HOST_LENGTH or not (_HOST.fullmatch(host) or _is_v6(host)):
        raise Invalid(("url", "Write it as mqtts://host:8883."))
    return Endpoint(host=host, port=port or DEFAULT_PORT[parts.scheme], tls=parts.scheme == "mqtts")


def is_public(address: str) -> bool:
    """Tell whether a numeric address is one machine's on the public internet.

    Not public are: loopback, private, link-local, shared by an operator's customers (100.64.0.0/10),
    multicast, unspecified, reserved, for documentation, and IPv6 that stands for or carries an IPv4 address,
    which may be any of these.
    """
    try:
        known = ipaddress.ip_address(address)
    except ValueError:
        return False
    if known.is_multicast or known.is_reserved or not known.is_global:
        return False
    if isinstance(known, ipaddress.IPv4Address):
        return not any(known in each for each in _SPECIAL_V4)
    return known.scope_id is None and known in _UNICAST_V6 and not any(known in each for each in _CARRIES_V4)


def is_surely_private(host: str) -> bool:
    """Tell whether a host, without asking anybody, is known not to be on the public internet."""
    name = host.lower().rstrip(".")
    if name == "localhost" or name.endswith(_LOCAL_NAMES):
        return True
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return not is_public(name)


def _is_v6(host: str) -> bool:
    try:
        return ipaddress.IPv6Address(host).scope_id is None
    except ValueError:
        return False
