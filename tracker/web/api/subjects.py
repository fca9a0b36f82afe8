"""Whom and what the family keeps in sight."""

from collections.abc import Sequence
from typing import Any

from apiflask import APIBlueprint
from apiflask.schemas import EmptySchema

from tracker.domain.subject import Subject, SubjectKind
from tracker.web.answers import SubjectList, SubjectOut
from tracker.web.api import _show
from tracker.web.api._keyset import cursor, cut, id_of
from tracker.web.context import here
from tracker.web.models import NewSubject, PageQuery, SubjectChange

BLUEPRINT = APIBlueprint("api-subjects", __name__, url_prefix="/api/v1/subjects", tag="Subjects")


def _shown(subjects: Sequence[Subject]) -> list[dict[str, Any]]:
    context = here()
    ids = [each.subject_id for each in subjects]
    lasts = {last.subject_id: last for last in context.access.last_positions(subject_ids=ids)} if ids else {}
    return [_show.subject(each, lasts.get(each.subject_id), context.now) for each in subjects]


@BLUEPRINT.post("")
@BLUEPRINT.input(NewSubject)
@BLUEPRINT.output(SubjectOut, status_code=201)
def add(json_data: NewSubject) -> dict[str, Any]:
    """Add a child, relative, pet, vehicle or phone"""
    context = here()
    subject = context.services.family.add_subject(
        context.session,
        context.viewer,
        kind=SubjectKind(json_data.kind),
        name=json_data.name,
        now=context.now,
    )
    return _show.subject(subject, None, context.now)


@BLUEPRINT.get("")
@BLUEPRINT.input(PageQuery, location="query")
@BLUEPRINT.output(SubjectList)
def index(query_data: PageQuery) -> dict[str, Any]:
    """List the subjects with their last positions"""
    found = here().access.subjects(after=id_of(query_data.after), limit=query_data.limit + 1)
    page, after = cut(found, query_data.limit, lambda each: cursor(each.subject_id))
    return {"items": _shown(page), "next": after}


@BLUEPRINT.get("/<id:subject_id>")
@BLUEPRINT.output(SubjectOut)
def show(subject_id: str) -> dict[str, Any]:
    """Return a subject with its last position"""
    return _shown([here().access.subject(subject_id)])[0]


@BLUEPRINT.patch("/<id:subject_id>")
@BLUEPRINT.input(SubjectChange)
@BLUEPRINT.output(SubjectOut)
def change(subject_id: str, json_data: SubjectChange) -> dict[str, Any]:
    """Change a subject's kind or name"""
    context = here()
    subject = context.services.family.change_subject(
        context.session,
        context.viewer,
        subject_id,
        kind=SubjectKind(json_data.kind) if json_data.kind else None,
        name=json_data.name,
        now=context.now,
    )
    return _shown([subject])[0]


@BLUEPRINT.delete("/<id:subject_id>")
@BLUEPRINT.output(EmptySchema, status_code=204)
def remove(subject_id: str) -> tuple[str, int]:
    """Remove a subject with its devices and every position of theirs"""
    context = here()
    context.services.family.remove_subject(context.session, context.viewer, subject_id, now=context.now)
    return "", 204
