"""Every setting, read once from the environment and `.env`, frozen, handed out in pieces by wiring."""

from email.utils import parseaddr
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

from pydantic import Field, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from tracker.domain.errors import Misconfigured


class Settings(BaseSettings):
    """The settings of docs/operators.md; each is `TRACKER_` and the field's name in capitals."""

    model_config = SettingsConfigDict(
        env_prefix="TRACKER_", env_file=".env", env_ignore_empty=True, extra="ignore", frozen=True
    )

    data_dir: Path = Field(Path("var"), description="everything the program writes")
    http: str = Field("127.0.0.1:8000", description="web listen address")
    public_url: str = Field(
        "", description="what links and QR codes say; `http://` + `TRACKER_HTTP` if unset"
    )
    database_url: str | None = Field(None, description="unset: the private cluster in the data folder")
    mqtt: str = Field("127.0.0.1:1883", description="where the private Mosquitto listens")
    mqtt_public: str = Field(
        "", description="what devices are told, `mqtts://host:8883`; `mqtt://` + `TRACKER_MQTT` if unset"
    )
    broker_url: str | None = Field(
        None, description="unset: the private Mosquitto; set: `mqtts://user:pass@host:8883`"
    )
    broker_files: Path | None = Field(
        None, description="folder of the broker's password and access files; in the data folder if unset"
    )
    secret_key: str | None = Field(
        None, description="signs sessions and wraps keys; made once, kept 0600 in the data folder if unset"
    )
    sms: str = Field("file", description="`file`, `http(s)://...` gateway or `smpp(s)://...` SMSC")
    sms_from: str = Field("3339", description="sender of codes")
    sms_regions: str = Field(
        "RU", description="regions whose mobile numbers get codes, ISO codes with commas; `*` is every region"
    )
    sms_per_hour: int = Field(
        1000, ge=1, description="most messages an hour in all: a breaker against pumping"
    )
    mail: str = Field("file", description="`file` or `smtp(s)://user:pass@host:port`")
    mail_from: str = Field(
        "", description="sender of mail, `Name <address>` or `address`; `ryadom@` + the public host if unset"
    )
    vapid_subject: str = Field(
        "",
        description="`mailto:` or `https:` address that push services may turn to; "
        "of `TRACKER_MAIL_FROM` if unset",
    )
    private_push: bool = Field(
        False, description="`1`: push services may be at private addresses and without TLS; for tests"
    )
    trusted_network: str | None = Field(
        None, description="operator gateway for automatic identification; not used yet"
    )
    map_tiles: str = Field("offline", description="`offline`, or `xyz:TEMPLATE` of a tile server you may use")
    map_attribution: str = Field("", description="what the tile server's owner wants to be read on the map")
    trusted_proxies: int = Field(
        0, ge=0, le=4, description="how many reverse proxies of yours stand in front and set X-Forwarded-For"
    )
    private_sources: bool = Field(
        False, description="`1`: sources may be at private addresses, as in a network of your own"
    )
    import_bytes: int = Field(
        2 * 1024**3, ge=1024**2, description="largest file of positions that a page or call takes, bytes"
    )
    log: Literal["debug", "info", "warning", "error"] = Field("info", description="log level")

    @field_validator("http", "mqtt")
    @classmethod
    def _address(cls, value: str) -> str:
        split_address(value)
        return value

    @field_validator("sms")
    @classmethod
    def _sms(cls, value: str) -> str:
        if value != "file" and urlsplit(value).scheme not in {"http", "https", "smpp", "smpps"}:
            raise ValueError("file, http(s)://... or smpp(s)://...")
        return value

    @field_validator("mail")
    @classmethod
    def _mail(cls, value: str) -> str:
        if value != "file" and urlsplit(value).scheme not in {"smtp", "smtps"}:
            raise ValueError("file, or smtp(s)://...")
        return value

    @field_validator("mail_from")
    @classmethod
    def _mail_from(cls, value: str) -> str:
        if value and not all(parseaddr(value)[1].partition("@")):
            raise ValueError("address, or Name <address>")
        return value

    @field_validator("vapid_subject")
    @classmethod
    def _vapid_subject(cls, value: str) -> str:
        if value and urlsplit(value).scheme not in {"mailto", "https"}:
            raise ValueError("mailto:... or https://...")
        return value

    @field_validator("broker_url")
    @classmethod
    def _broker_url(cls, value: str | None) -> str | None:
        if value and urlsplit(value).scheme not in {"mqtt", "mqtts"}:
            raise ValueError("mqtt://... or mqtts://...")
        return value

    @model_validator(mode="after")
    def _resolve(self) -> "Settings":
        object.__setattr__(self, "data_dir", self.data_dir.absolute())
        object.__setattr__(self, "public_url", (self.public_url or f"http://{self.http}").rstrip("/"))
        object.__setattr__(self, "mqtt_public", self.mqtt_public or f"mqtt://{self.mqtt}")
        host = urlsplit(self.public_url).hostname or "localhost"
        object.__setattr__(self, "mail_from", self.mail_from or f"ryadom@{host}")
        subject = self.vapid_subject or f"mailto:{parseaddr(self.mail_from)[1]}"
        object.__setattr__(self, "vapid_subject", subject)
        return self

    @property
    def http_address(self) -> tuple[str, int]:
        """Host and port of the web server."""
        return split_address(self.http)

    @property
    def mqtt_address(self) -> tuple[str, int]:
        """Host and port of the private Mosquitto."""
        return split_address(self.mqtt)

    @property
    def broker_dir(self) -> Path:
        """Folder of the broker's `passwords` and `access` files."""
        return self.broker_files or self.data_dir / "mosquitto"

    @property
    def secure(self) -> bool:
        """Whether browsers reach the service by HTTPS."""
        return self.public_url.startswith("https://")


def split_address(text: str) -> tuple[str, int]:
    """Return host and port of `host:port`, `[v6]:port` allowed.

    Raises:
        ValueError: there is no port, or it is not within 1..65535.
    """
    host, _, port = text.rpartition(":")
    if not host or not port.isdigit() or not 0 < int(port) < 65536:
        raise ValueError("host:port, the port within 1..65535")
    return host.strip("[]"), int(port)


def read() -> Settings:
    """Read the environment.

    Raises:
        Misconfigured: a variable is wrong; names it and says why.
    """
    try:
        return Settings()
    except ValidationError as error:
        first = error.errors()[0]
        name = "TRACKER_" + str(first["loc"][0]).upper() if first["loc"] else "settings"
        raise Misconfigured(f"{name}: {first['msg']}") from None
