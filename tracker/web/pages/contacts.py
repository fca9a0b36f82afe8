"""Contacts: whom alerts are told, in what order, when not."""

from typing import Any

from apiflask import APIBlueprint
from flask import Response, request, url_for
from flask_babel import gettext as _

from tracker.accounts.outcomes import Blocked, WrongCode
from tracker.domain.errors import Invalid
from tracker.domain.notification import Contact
from tracker.store import schedules
from tracker.web import i18n
from tracker.web.context import here
from tracker.web.pages import _places, _schedules
from tracker.web.pages._forms import go, messages, page, text

BLUEPRINT = APIBlueprint("contacts", __name__, url_prefix="/account/contacts", enable_openapi=False)

MESSAGES_MOST = 1000
SAVED = frozenset({"saved", "confirmed", "sent"})


@BLUEPRINT.get("")
def index() -> Response:
    """Show the contacts."""
    return _list_page({"locale": i18n.locale()}, {})


@BLUEPRINT.post("")
def add() -> Response:
    """Add a contact, who is sent a code."""
    context = here()
    values = {name: text(name) for name in ("name", "phone", "email", "locale")}
    try:
        contact = context.services.contacts.add(
            context.session,
            context.viewer,
            {name: value for name, value in values.items() if value},
            now=context.now,
        )
    except Invalid as error:
        return _list_page(values, _errors(error), 422)
    return go(url_for("contacts.show", contact_id=contact.contact_id))


def _list_page(values: dict[str, str], errors: dict[str, str], status: int = 200) -> Response:
    context = here()
    found = context.access.alerts.contacts(context.now)
    rows = [
        {
            "contact_id": each.contact_id,
            "name": _name(each),
            "detail": _detail(each),
            "channels": ", ".join(_places.channel_titles().get(one, one) for one in each.channels),
            "quiet": str(_("has quiet hours")) if each.quiet else "",
            "confirmed": each.confirmed_at is not None,
            "first": number < 2,  # the owner stays on top
        }
        for number, each in enumerate(found)
    ]
    return page("contacts.html", status, contacts=rows, values=values, errors=errors)


def _name(contact: Contact) -> str:
    return str(_("You")) if contact.contact_id == contact.account_id else contact.name


def _detail(contact: Contact) -> str:
    return ", ".join(part for part in (contact.phone, contact.email) if part)


@BLUEPRINT.post("/<id:contact_id>/move")
def move(contact_id: str) -> Response:
    """Let a contact be told before the one above him."""
    context = here()
    context.access.alerts.contact(contact_id)
    order = [each.contact_id for each in context.access.alerts.contacts(context.now)]
    number = order.index(contact_id)
    if number > 1:
        order[number - 1], order[number] = order[number], order[number - 1]
        for position, each in enumerate(order):
            if position:
                context.services.contacts.change(
                    context.session, context.viewer, each, {"position": position}, now=context.now
                )
    return go(url_for("contacts.index"))


@BLUEPRINT.get("/<id:contact_id>")
def show(contact_id: str) -> Response:
    """Show one contact."""
    contact = here().access.alerts.contact(contact_id)
    return _page(
        contact, _values(contact), contact.channels, {}, _schedules.shown(schedules.to_json(contact.quiet))
    )


def _values(contact: Contact) -> dict[str, str]:
    return {
        "name": contact.name,
        "phone": contact.phone or "",
        "email": contact.email or "",
        "locale": contact.locale,
        "time_zone": contact.time_zone,
        "quiet_breaks_at": contact.quiet_breaks_at.name.lower(),
        "per_hour_most": str(contact.per_hour_most),
    }


@BLUEPRINT.post("/<id:contact_id>")
def change(contact_id: str) -> Response:
    """Change a contact."""
    context = here()
    contact = context.access.alerts.contact(contact_id)
    values = {name: text(name) for name in _values(contact)}
    channels = request.form.getlist("channels")
    most = values["per_hour_most"] or str(contact.per_hour_most)
    try:
        if not most.isdigit() or not 1 <= int(most[:9]) <= MESSAGES_MOST:
            raise Invalid(("per_hour_most", "must be a whole number from 1 to 1000"))
        given: dict[str, Any] = {
            "name": values["name"] or contact.name,
            "phone": values["phone"] or None,
            "email": values["email"] or None,
            "locale": values["locale"] or contact.locale,
            "time_zone": values["time_zone"] or contact.time_zone,
            "channels": channels,
            "quiet": _schedules.read(),
            "quiet_breaks_at": values["quiet_breaks_at"] or "urgent",
            "per_hour_most": int(most),
        }
        changed = {name: value for name, value in given.items() if value != _given(contact)[name]}
        context.services.contacts.change(
            context.session, context.viewer, contact_id, changed, now=context.now
        )
    except Invalid as error:
        return _page(contact, values, channels, _errors(error), _schedules.typed(), 422)
    return go(url_for("contacts.show", contact_id=contact_id, saved="saved"))


def _given(contact: Contact) -> dict[str, Any]:
    """Return a contact's fields as a form that leaves all as it is would give them."""
    return {
        **_values(contact),
        "phone": contact.phone,
        "email": contact.email,
        "per_hour_most": contact.per_hour_most,
        "channels": list(contact.channels),
        "quiet": schedules.to_json(contact.quiet),
    }


@BLUEPRINT.post("/<id:contact_id>/confirm")
def confirm(contact_id: str) -> Response:
    """Take the code that a contact was sent."""
    context = here()
    contact = context.access.alerts.contact(contact_id)
    outcome = context.services.contacts.confirm(
        context.session, context.viewer, contact_id, text("code"), now=context.now
    )
    if isinstance(outcome, Blocked):
        return _code_page(contact, str(_("Three wrong entries: send a new code.")))
    if isinstance(outcome, WrongCode):
        return _code_page(contact, str(_("The code is wrong")))
    return go(url_for("contacts.show", contact_id=contact_id, saved="confirmed"))


def _code_page(contact: Contact, wrong: str) -> Response:
    quiet = _schedules.shown(schedules.to_json(contact.quiet))
    return _page(contact, _values(contact), contact.channels, {"code": wrong}, quiet, 401)


@BLUEPRINT.post("/<id:contact_id>/code")
def send_again(contact_id: str) -> Response:
    """Send the code anew."""
    context = here()
    contact = context.access.alerts.contact(contact_id)
    try:
        context.services.contacts.ask_again(context.session, context.viewer, contact_id, now=context.now)
    except Invalid as error:
        return _code_page(contact, next(iter(messages(error).values())))
    return go(url_for("contacts.show", contact_id=contact_id, saved="sent"))


@BLUEPRINT.post("/<id:contact_id>/delete")
def remove(contact_id: str) -> Response:
    """Remove a contact."""
    context = here()
    contact = context.access.alerts.contact(contact_id)
    try:
        context.services.contacts.remove(context.session, context.viewer, contact_id, now=context.now)
    except Invalid as error:
        quiet = _schedules.shown(schedules.to_json(contact.quiet))
        said = next(iter(messages(error).values()))
        return _page(contact, _values(contact), contact.channels, {"": said}, quiet, 422)
    return go(url_for("contacts.index"))


def _errors(error: Invalid) -> dict[str, str]:
    found: dict[str, str] = {}
    for field, message in messages(error).items():
        name = field.split(".")[0]
        found.setdefault("schedule" if name == "quiet" else name, message)
    return found


def _page(
    contact: Contact,
    values: dict[str, str],
    channels: Any,
    errors: dict[str, str],
    schedule: dict[str, Any],
    status: int = 200,
) -> Response:
    context = here()
    saved = request.args.get("saved", "")
    return page(
        "contact.html",
        status,
        contact={
            "contact_id": contact.contact_id,
            "name": _name(contact),
            "detail": _detail(contact),
            "confirmed": contact.confirmed_at is not None,
            "is_owner": contact.contact_id == context.viewer.account_id,
        },
        values=values,
        chosen={"channels": channels},
        channels=list(_places.channel_titles().items()),
        urgencies=_places.urgencies()[1:],
        schedule=schedule,
        errors=errors,
        saved=saved if saved in SAVED and not errors else None,
    )
