"""Fills in where the private servers are, for every command that runs beside `tracker up`."""

from tracker.local.identity import server_user
from tracker.local.mosquitto import Broker, broker
from tracker.local.paths import Layout, lay_out
from tracker.local.postgres import Cluster, cluster
from tracker.settings import Settings


def layout(settings: Settings) -> Layout:
    """Return the folders of this copy of the service, made if they were missing.

    Raises:
        Misconfigured: the data folder cannot be written, or a server's package is missing.
    """
    users = []
    if settings.database_url is None:
        users.append(server_user("postgres"))
    if settings.broker_url is None:
        users.append(server_user("mosquitto"))
    return lay_out(settings.data_dir, tuple(users))


def private_cluster(settings: Settings, places: Layout) -> Cluster | None:
    """Return the private cluster, or None when a setting names another PostgreSQL."""
    return cluster(places) if settings.database_url is None else None


def private_broker(settings: Settings, places: Layout) -> Broker | None:
    """Return the private broker, or None when a setting names another one."""
    if settings.broker_url is not None:
        return None
    host, port = settings.mqtt_address
    return broker(host, port, settings.broker_files or places.mosquitto)


def with_private_servers(settings: Settings) -> Settings:
    """Return the settings with `database_url`, `broker_url` and `broker_files` filled in where unset.

    Raises:
        Misconfigured: a private server is wanted and its package is missing.
    """
    places = layout(settings)
    found: dict[str, object] = {}
    own_cluster = private_cluster(settings, places)
    if own_cluster is not None:
        found["database_url"] = own_cluster.url()
    own_broker = private_broker(settings, places)
    if own_broker is not None:
        found["broker_url"] = own_broker.url
        found["broker_files"] = own_broker.folder
    return settings.model_copy(update=found)
