"""Waits until the broker knows a new password, so that what the owner is shown works at once."""

import time
from collections.abc import Callable
from datetime import datetime

from tracker.store.access import Access
from tracker.web.context import RequestContext, application

_POLL_S = 0.05


def await_after_commit(context: RequestContext, device_id: str) -> None:
    """Hold the answer back, once its transaction is committed, until the device is provisioned.

    After the application's `provisioning_wait_s` it leaves all the same: the password will work later.
    """
    _await(context, lambda access: access.device(device_id).provisioned_at)


def await_gateway_after_commit(context: RequestContext, gateway_id: str) -> None:
    """Hold the answer back in the same way until the gateway is provisioned."""
    _await(context, lambda access: access.gateway(gateway_id).provisioned_at)


def _await(context: RequestContext, provisioned_at: Callable[[Access], datetime | None]) -> None:
    limit_s = application().provisioning_wait_s
    database, viewer = context.services.database, context.viewer

    def wait() -> None:
        until = time.monotonic() + limit_s
        while time.monotonic() < until:
            with database.begin() as session:
                if provisioned_at(Access(session, viewer)) is not None:
                    return
            time.sleep(_POLL_S)

    context.after_commit(wait)
