"""Gateways and sources of an account, and the devices that they speak of. Nothing here commits."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from tracker.accounts.family import Family, MqttEndpoint
from tracker.domain.access import Viewer
from tracker.domain.broker_password import password_hash, short_password
from tracker.domain.device import Device, MqttAccess
from tracker.domain.errors import Invalid, NotFound
from tracker.domain.gateway import Gateway
from tracker.domain.ids import new_id, shard_of
from tracker.domain.names import clean_name
from tracker.domain.network import endpoint_of, is_surely_private
from tracker.domain.source import Source, SourceDetail, SourceLogin, SourceState, is_topic_filter
from tracker.domain.subject import NAME_LENGTH
from tracker.store import devices, gateways, sources, unclaimed
from tracker.store.access import Access
from tracker.store.seal import Sealer
from tracker.store.session import Session

GATEWAYS_PER_ACCOUNT = 20
SOURCES_PER_ACCOUNT = 20
TOPICS_PER_SOURCE = 30
LOGIN_LENGTH = 1024
"""A password of The Things Stack is an API key of about 100 characters; some brokers take signed tokens."""


class Gateways:
    """Changes of gateways and sources, each in a viewer's name; what is not his does not exist.

    `topics` are the topic filters that the devices of each dialect are read by elsewhere; a dialect that is
    not among them is none for gateways and sources.
    """

    def __init__(
        self,
        sealer: Sealer,
        mqtt: MqttEndpoint,
        family: Family,
        topics: Mapping[str, Sequence[str]],
        *,
        private_sources: bool,
    ) -> None:
        self._sealer = sealer
        self._mqtt = mqtt
        self._family = family
        self._topics = topics
        self._private_sources = private_sources

    def add_gateway(
        self, session: Session, viewer: Viewer, *, name: str, dialect: str, now: datetime
    ) -> tuple[Gateway, MqttAccess]:
        """Add a gateway and return it with its credentials, which cannot be read again.

        Raises:
            Invalid: ("name" | "dialect", ...), or there are 20 gateways already.
        """
        gateway = Gateway(
            account_id=viewer.account_id,
            gateway_id=new_id(),
            name=clean_name(name),
            dialect=self._known(dialect),
            created_at=now,
        )
        if len(Access(session, viewer).gateways(limit=GATEWAYS_PER_ACCOUNT)) >= GATEWAYS_PER_ACCOUNT:
            raise Invalid(("name", "There are 20 already: remove some first."))
        mqtt = self._access(gateway)
        gateways.add(session, gateway, mqtt_password_hash=password_hash(mqtt.password))
        devices.tell_provisioner(session)
        return gateway, mqtt

    def rename_gateway(
        self,
        session: Session,
        viewer: Viewer,
        gateway_id: str,
        *,
        name: str,
        now: datetime,  # noqa: ARG002
    ) -> Gateway:
        """Give a gateway a new name.

        Raises:
            NotFound: missing, or not the viewer's.
            Invalid: ("name", ...).
        """
        present = Access(session, viewer).gateway(gateway_id)
        gateways.change(session, viewer.account_id, gateway_id, name=clean_name(name))
        return replace(present, name=clean_name(name))

    def rotate_gateway(
        self,
        session: Session,
        viewer: Viewer,
        gateway_id: str,
        *,
        now: datetime,  # noqa: ARG002
    ) -> MqttAccess:
        """Give a gateway a new password; the old one ends when the broker has read the new one.

        Raises:
            NotFound: missing, or not the viewer's.
        """
        mqtt = self._access(Access(session, viewer).gateway(gateway_id))
        gateways.set_password_hash(session, viewer.account_id, gateway_id, password_hash(mqtt.password))
        devices.tell_provisioner(session)
        return mqtt

    def remove_gateway(
        self,
        session: Session,
        viewer: Viewer,
        gateway_id: str,
        *,
        now: datetime,  # noqa: ARG002
    ) -> None:
        """Remove a gateway; the broker ends its connection. Its devices and their positions stay.

        Raises:
            NotFound: missing, or not the viewer's.
        """
        Access(session, viewer).gateway(gateway_id)
        gateways.remove(session, viewer.account_id, gateway_id)
        unclaimed.remove_of_origin(session, viewer.account_id, gateway_id)
        devices.tell_provisioner(session)

    def add_source(
        self,
        session: Session,
        viewer: Viewer,
        *,
        name: str,
        dialect: str,
        url: str,
        username: str,
        password: str,
        topics: Sequence[str] = (),
        now: datetime,
    ) -> Source:
        """Add a broker of somebody else's to read; without `topics`, those of the dialect.

        Raises:
            Invalid: ("name" | "dialect" | "url" | "username" | "password" | "topics", ...), or there are 20.
        """
        source = Source(
            account_id=viewer.account_id,
            source_id=new_id(),
            name=clean_name(name),
            dialect=self._known(dialect),
            url=self._url(url),
            topics=self._filters(topics, dialect),
            has_credentials=bool(username or password),
            paused=False,
            state=SourceState.WAITING,
            detail=SourceDetail.NONE,
            state_at=now,
            messages=0,
            last_message_at=None,
            created_at=now,
        )
        if len(Access(session, viewer).sources(limit=SOURCES_PER_ACCOUNT)) >= SOURCES_PER_ACCOUNT:
            raise Invalid(("name", "There are 20 already: remove some first."))
        sources.add(session, source, credentials_sealed=self._sealed(source.source_id, username, password))
        return source

    def change_source(
        self,
        session: Session,
        viewer: Viewer,
        source_id: str,
        *,
        name: str | None = None,
        url: str | None = None,
        username: str | None = None,
        password: str | None = None,
        topics: Sequence[str] | None = None,
        paused: bool | None = None,
        now: datetime,
    ) -> Source:
        """Change a source, which is then connected to anew; None leaves, no topics are the dialect's own.

        User name and password change together; both empty, it signs in as nobody. They do not go with the
        source to another address: there they must be given again, or whoever has the session could have them
        sent to a broker of his own.

        Raises:
            NotFound: missing, or not the viewer's.
            Invalid: ("name" | "url" | "username" | "password" | "topics", ...).
        """
        served = sources.get(session, viewer.account_id, source_id)
        present = served.source
        address = present.url if url is None else self._url(url)
        sealed = served.credentials_sealed
        if username is not None or password is not None:
            if username is None:
                raise Invalid(("username", "Give the user name as well."))
            if password is None:
                raise Invalid(("password", "Give the password as well."))
            sealed = self._sealed(source_id, username, password)
        elif sealed is not None and address != present.url:
            raise Invalid(("password", "Give the password again: the address is another one."))
        rests = present.paused if paused is None else paused
        changed = replace(
            present,
            name=present.name if name is None else clean_name(name),
            url=address,
            topics=present.topics if topics is None else self._filters(topics, present.dialect),
            has_credentials=sealed is not None,
            paused=rests,
            state=SourceState.WAITING,
            detail=SourceDetail.PAUSED if rests else SourceDetail.NONE,
            state_at=now,
        )
        sources.change(session, changed, credentials_sealed=sealed)
        return changed

    def remove_source(
        self,
        session: Session,
        viewer: Viewer,
        source_id: str,
        *,
        now: datetime,  # noqa: ARG002
    ) -> None:
        """Remove a source; it is read no more. Its devices and their positions stay.

        Raises:
            NotFound: missing, or not the viewer's.
        """
        Access(session, viewer).source(source_id)
        sources.remove(session, viewer.account_id, source_id)
        unclaimed.remove_of_origin(session, viewer.account_id, source_id)

    def adopt(
        self,
        session: Session,
        viewer: Viewer,
        *,
        origin_id: str,
        external_id: str,
        subject_id: str,
        name: str = "",
        now: datetime,
    ) -> Device:
        """Make a device of what a gateway or source speaks of; what it said so far is tried again.

        Without `name` it is called like its external id.

        Raises:
            NotFound: nobody speaks of it, or the subject is missing, or not the viewer's.
            Invalid: ("name" | "external_id", ...).
        """
        heard = unclaimed.called(session, viewer.account_id, external_id)
        here = [each for each in heard if each.origin_id == origin_id]
        if not here:
            raise NotFound("unclaimed device")
        device, _ = self._family.add_device(
            session,
            viewer,
            subject_id=subject_id,
            name=name or external_id[:NAME_LENGTH],
            dialect=here[0].dialect,
            external_id=external_id,
            payload_key=None,
            now=now,
        )
        return device

    def _access(self, gateway: Gateway) -> MqttAccess:
        return MqttAccess(
            host=self._mqtt.host,
            port=self._mqtt.port,
            tls=self._mqtt.tls,
            username=gateway.gateway_id,
            password=short_password(),
            client_id=gateway.gateway_id,
            topics=(f"gateway/{shard_of(gateway.gateway_id)}/{gateway.gateway_id}/#",),
        )

    def _known(self, dialect: str) -> str:
        if dialect not in self._topics:
            raise Invalid(("dialect", "There is no such kind of gateway."))
        return dialect

    def _url(self, url: str) -> str:
        endpoint = endpoint_of(url)
        if not self._private_sources and is_surely_private(endpoint.host):
            raise Invalid(("url", "This address is in a private network, which the service does not call."))
        return endpoint.url

    def _filters(self, topics: Sequence[str], dialect: str) -> tuple[str, ...]:
        filters = tuple(dict.fromkeys(topics)) or tuple(self._topics[dialect])
        if not filters:
            raise Invalid(("topics", "Name at least one topic."))
        if len(filters) > TOPICS_PER_SOURCE:
            raise Invalid(("topics", "At most 30 topics."))
        if not all(is_topic_filter(each) for each in filters):
            raise Invalid(("topics", "One of them is no topic filter."))
        return filters

    def _sealed(self, source_id: str, username: str, password: str) -> bytes | None:
        if password and not username:
            raise Invalid(("username", "Give the user name as well."))
        for field, given in (("username", username), ("password", password)):
            if len(given) > LOGIN_LENGTH:
                raise Invalid((field, "At most 1024 characters."))
        if not username:
            return None
        login = SourceLogin(username=username, password=password)
        return sources.seal_login(self._sealer, source_id, login)
