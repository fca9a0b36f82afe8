"""The same unsafe call with the same Idempotency-Key acts once and is answered twice alike.

Only what was done is kept: a refused call did nothing, so its key is free for another try.
"""

import hashlib

from flask import Response, g, request

from tracker.domain.errors import Invalid
from tracker.store import idempotency
from tracker.web.context import RequestContext
from tracker.web.guards import UNSAFE

HEADER = "Idempotency-Key"
KEY_LENGTH = 200


def replay(context: RequestContext) -> Response | None:
    """Return the answer that this call already got, or None and claim its key.

    Only a signed-in caller's calls to the API count; answers below 400 are kept for a day.

    Raises:
        Invalid: the key is too long, or was used for another call.
    """
    key = request.headers.get(HEADER)
    if (
        not key
        or request.method not in UNSAFE
        or not context.is_signed_in
        or not request.path.startswith("/api/")
    ):
        return None
    if len(key) > KEY_LENGTH:
        raise Invalid((HEADER, "at most 200 characters"))
    key_hash = hashlib.sha256(key.encode("utf-8", "surrogateescape")).digest()
    request_hash = hashlib.sha256(
        b"\0".join((request.method.encode(), request.full_path.encode(), request.get_data(cache=True)))
    ).digest()
    account_id = context.viewer.account_id
    if idempotency.begin(context.session, account_id, key_hash, request_hash, context.now):
        g.idempotency_key_hash = key_hash
        return None
    earlier = idempotency.earlier(context.session, context.services.sealer, account_id, key_hash)
    if earlier.request_hash != request_hash:
        raise Invalid((HEADER, "this key was used for another call"))
    return Response(earlier.body, earlier.status, content_type="application/json")


def keep(context: RequestContext, response: Response) -> Response:
    """Keep the answer of the call that claimed a key, in the transaction of what it did.

    A refusal that is committed because it was counted (a wrong code, too many) gives the key back.
    """
    key_hash = g.pop("idempotency_key_hash", None)
    if key_hash is None or not context.has_transaction:
        return response
    if response.status_code >= 400:
        idempotency.give_back(context.session, context.viewer.account_id, key_hash)
    else:
        idempotency.finish(
            context.session,
            context.services.sealer,
            context.viewer.account_id,
            key_hash,
            response.status_code,
            response.get_data(as_text=True),
        )
    return response
