"""Whom alerts are told, in the order of escalation."""

from typing import Any

from apiflask import APIBlueprint
from apiflask.schemas import EmptySchema
from flask import Response

from tracker.accounts.outcomes import Blocked, WrongCode
from tracker.web.answers_alerts import ContactList, ContactOut
from tracker.web.api import _alerts
from tracker.web.api._keyset import page_of_all
from tracker.web.api.login import refusal
from tracker.web.context import here
from tracker.web.models import PageQuery
from tracker.web.models_alerts import Confirmation, ContactChange, NewContact

BLUEPRINT = APIBlueprint("api-contacts", __name__, url_prefix="/api/v1/contacts", tag="Contacts")


@BLUEPRINT.post("")
@BLUEPRINT.input(NewContact)
@BLUEPRINT.output(ContactOut, status_code=201)
def add(json_data: NewContact) -> dict[str, Any]:
    """Add somebody to tell alerts to; he is sent a code to confirm by, and nothing else before"""
    context = here()
    contact = context.services.contacts.add(
        context.session, context.viewer, json_data.model_dump(exclude_unset=True), now=context.now
    )
    return _alerts.contact(contact)


@BLUEPRINT.get("")
@BLUEPRINT.input(PageQuery, location="query")
@BLUEPRINT.output(ContactList)
def index(query_data: PageQuery) -> dict[str, Any]:
    """List the contacts in the order of escalation"""
    context = here()
    page, after = page_of_all(
        context.access.alerts.contacts(context.now),
        limit=query_data.limit,
        after=query_data.after,
        identity=lambda each: each.contact_id,
    )
    return {"items": [_alerts.contact(each) for each in page], "next": after}


@BLUEPRINT.get("/<id:contact_id>")
@BLUEPRINT.output(ContactOut)
def show(contact_id: str) -> dict[str, Any]:
    """Return a contact"""
    return _alerts.contact(here().access.alerts.contact(contact_id))


@BLUEPRINT.patch("/<id:contact_id>")
@BLUEPRINT.input(ContactChange)
@BLUEPRINT.output(ContactOut)
def change(contact_id: str, json_data: ContactChange) -> dict[str, Any]:
    """Change a contact; a new number or address must be confirmed anew"""
    context = here()
    contact = context.services.contacts.change(
        context.session, context.viewer, contact_id, json_data.model_dump(exclude_unset=True), now=context.now
    )
    return _alerts.contact(contact)


@BLUEPRINT.delete("/<id:contact_id>")
@BLUEPRINT.output(EmptySchema, status_code=204)
def remove(contact_id: str) -> tuple[str, int]:
    """Remove a contact; nothing is sent there any more"""
    context = here()
    context.services.contacts.remove(context.session, context.viewer, contact_id, now=context.now)
    return "", 204


@BLUEPRINT.post("/<id:contact_id>/confirm")
@BLUEPRINT.input(Confirmation)
@BLUEPRINT.output(ContactOut)
def confirm(contact_id: str, json_data: Confirmation) -> dict[str, Any] | Response:
    """Confirm a contact by the code that he was sent

    With a code for his number and another for his address, each is given in a call of its own. After three
    wrong ones new codes must be asked for.
    """
    context = here()
    outcome = context.services.contacts.confirm(
        context.session, context.viewer, contact_id, json_data.code, now=context.now
    )
    if isinstance(outcome, WrongCode | Blocked):
        return refusal(outcome)
    return _alerts.contact(outcome)


@BLUEPRINT.post("/<id:contact_id>/code")
@BLUEPRINT.output(ContactOut)
def ask_again(contact_id: str) -> dict[str, Any]:
    """Send the codes of a contact anew; those before open nothing any more"""
    context = here()
    return _alerts.contact(
        context.services.contacts.ask_again(context.session, context.viewer, contact_id, now=context.now)
    )
