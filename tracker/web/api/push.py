"""Browsers that get messages (Web Push, RFC 8030)."""

from typing import Any

from apiflask import APIBlueprint
from apiflask.schemas import EmptySchema

from tracker.domain.errors import NotFound
from tracker.notify.channels._push_message import check_subscription
from tracker.store import push_subscriptions
from tracker.web.answers_alerts import PushKeyOut, PushSubscriptionOut
from tracker.web.context import here
from tracker.web.models_alerts import NewPushSubscription

BLUEPRINT = APIBlueprint("api-push", __name__, url_prefix="/api/v1/push", tag="Contacts")


@BLUEPRINT.get("/key")
@BLUEPRINT.output(PushKeyOut)
def key() -> dict[str, Any]:
    """Return the key that a browser subscribes with (`applicationServerKey`)"""
    return {"key": here().services.push_key}


@BLUEPRINT.post("/subscriptions")
@BLUEPRINT.input(NewPushSubscription)
@BLUEPRINT.output(PushSubscriptionOut, status_code=201)
def subscribe(json_data: NewPushSubscription) -> dict[str, Any]:
    """Send a contact's messages to a browser; the same browser again keeps its id"""
    context = here()
    check_subscription(
        json_data.endpoint,
        json_data.keys.p256dh,
        json_data.keys.auth,
        private_allowed=context.services.settings.private_push,
    )
    contact_id = json_data.contact_id or context.viewer.account_id
    subscription_id = context.services.contacts.add_subscription(
        context.session,
        context.viewer,
        contact_id=contact_id,
        endpoint=json_data.endpoint,
        p256dh=json_data.keys.p256dh,
        auth=json_data.keys.auth,
        agent=context.agent,
        now=context.now,
    )
    return {"id": subscription_id, "contact_id": contact_id}


@BLUEPRINT.delete("/subscriptions/<id:subscription_id>")
@BLUEPRINT.output(EmptySchema, status_code=204)
def unsubscribe(subscription_id: str) -> tuple[str, int]:
    """Send nothing more to a browser"""
    context = here()
    if not push_subscriptions.remove(context.session, context.viewer.account_id, subscription_id):
        raise NotFound("subscription")
    return "", 204
