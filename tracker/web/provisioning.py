"""Waits until the broker knows a device's new password, so that what the owner is shown works at once."""

import time

from tracker.store.access import Access
from tracker.web.context import RequestContext, application

_POLL_S = 0.05


def await_after_commit(context: RequestContext, device_id: str) -> None:
    """Hold the answer back, once its transaction is committed, until the device is provisioned.

    After the application's `provisioning_wait_s` it leaves all the same: the password will work later.
    """
    limit_s = application().provisioning_wait_s
    database, viewer = context.services.database, context.viewer

    def wait() -> None:
        until = time.monotonic() + limit_s
        while time.monotonic() < until:
            with database.begin() as session:
                if Access(session, viewer).device(device_id).provisioned_at is not None:
                    return
            time.sleep(_POLL_S)

    context.after_commit(wait)
