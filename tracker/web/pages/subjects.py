"""Subjects: add, look at, rename, remove."""

from apiflask import APIBlueprint
from flask import Response, url_for

from tracker.domain.errors import Invalid
from tracker.domain.subject import SubjectKind
from tracker.web import i18n
from tracker.web.context import here
from tracker.web.models import NewSubject, SubjectChange
from tracker.web.pages import _show
from tracker.web.pages._forms import checked, go, messages, page, text

BLUEPRINT = APIBlueprint("subjects", __name__, url_prefix="/subjects", enable_openapi=False)


def _new_page(values: dict[str, str], errors: dict[str, str], status: int = 200) -> Response:
    kinds = [kind.value for kind in SubjectKind]
    return page("subject_new.html", status, kinds=kinds, values=values, errors=errors)


@BLUEPRINT.get("/new")
def ask() -> Response:
    """Ask whom to add."""
    return _new_page({}, {})


@BLUEPRINT.post("/new")
def add() -> Response:
    """Add a subject, and go on to its page."""
    context = here()
    values = {"kind": text("kind"), "name": text("name")}
    try:
        new = checked(NewSubject, **values)
        subject = context.services.family.add_subject(
            context.session, context.viewer, kind=SubjectKind(new.kind), name=new.name, now=context.now
        )
    except Invalid as error:
        return _new_page(values, messages(error), 422)
    return go(url_for("subjects.show", subject_id=subject.subject_id))


def _page(subject_id: str, values: dict[str, str], errors: dict[str, str], status: int = 200) -> Response:
    context = here()
    subject = context.access.subject(subject_id)
    last = next(iter(context.access.last_positions(subject_ids=[subject_id])), None)
    dots = [_show.dot(subject, last, context.now)] if last else []
    drawn = _show.drawn(dots, nonce=context.nonce, locale=i18n.locale(), settings=context.services.settings)
    return page(
        "subject.html",
        status,
        subject=_show.subject(subject, last, context.now),
        map=drawn if last else None,
        devices=[_show.device(each) for each in context.access.devices(subject_id=subject_id)],
        values={"name": subject.name} | values,
        errors=errors,
    )


@BLUEPRINT.get("/<id:subject_id>")
def show(subject_id: str) -> Response:
    """Show a subject with its devices."""
    return _page(subject_id, {}, {})


@BLUEPRINT.post("/<id:subject_id>")
def change(subject_id: str) -> Response:
    """Rename a subject."""
    context = here()
    try:
        if not text("name"):
            raise Invalid(("name", "this field is required"))
        changed = checked(SubjectChange, name=text("name"))
        context.services.family.change_subject(
            context.session, context.viewer, subject_id, kind=None, name=changed.name, now=context.now
        )
    except Invalid as error:
        return _page(subject_id, {"name": text("name")}, messages(error), 422)
    return go(url_for("subjects.show", subject_id=subject_id))


@BLUEPRINT.post("/<id:subject_id>/delete")
def remove(subject_id: str) -> Response:
    """Remove a subject with everything of it."""
    context = here()
    context.services.family.remove_subject(context.session, context.viewer, subject_id, now=context.now)
    return go(url_for("map.show"))
