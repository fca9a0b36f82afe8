"""Sources: add a broker of somebody else's, see how it stands, change, pause, remove."""

from apiflask import APIBlueprint
from flask import Response, request, url_for

from tracker.domain.errors import Invalid
from tracker.domain.source import Source
from tracker.web.context import here
from tracker.web.dialects import gateway_dialects, topics_of
from tracker.web.models import NewSource, SourceChange
from tracker.web.pages import _show
from tracker.web.pages._forms import checked, go, messages, page, text

BLUEPRINT = APIBlueprint("sources", __name__, url_prefix="/sources", enable_openapi=False)

FIELDS = ("name", "dialect", "url", "username", "password", "topics")


def _typed() -> dict[str, str]:
    return {name: text(name) for name in FIELDS}


def _filters(typed: str) -> list[str]:
    """Return the topics of a field with one a line."""
    return [line.strip() for line in typed.splitlines() if line.strip()]


def _errors(error: Invalid) -> dict[str, str]:
    """Return what is wrong by field; an element of the topics is the topics."""
    return {field.partition(".")[0]: said for field, said in messages(error).items()}


def _kept(values: dict[str, str]) -> dict[str, str]:
    """Return what a refused form is filled with again: a password is typed anew."""
    return {name: value for name, value in values.items() if name != "password"}


def _new_page(values: dict[str, str], errors: dict[str, str], status: int = 200) -> Response:
    dialects = [each for each in gateway_dialects() if topics_of(each)]
    return page(
        "source_new.html", status, dialects=_show.dialects(dialects), values=_kept(values), errors=errors
    )


@BLUEPRINT.get("/new")
def ask() -> Response:
    """Ask what to read."""
    return _new_page({"dialect": request.args.get("dialect", "")}, {})


@BLUEPRINT.post("/new")
def add() -> Response:
    """Add a source, and go on to its page."""
    context = here()
    values = _typed()
    try:
        new = checked(NewSource, **{**values, "topics": _filters(values["topics"]) or None})
        source = context.services.gateways.add_source(
            context.session,
            context.viewer,
            name=new.name,
            dialect=new.dialect,
            url=new.url,
            username=new.username,
            password=new.password,
            topics=new.topics,
            now=context.now,
        )
    except Invalid as error:
        return _new_page(values, _errors(error), 422)
    return go(url_for("sources.show", source_id=source.source_id))


def _page(source: Source, values: dict[str, str], errors: dict[str, str], status: int = 200) -> Response:
    present = {"name": source.name, "url": source.url, "topics": "\n".join(source.topics)}
    return page(
        "source.html",
        status,
        source=_show.source(source),
        unknown=len(here().access.unclaimed(origin_id=source.source_id)),
        values=present | _kept(values),
        errors=errors,
    )


@BLUEPRINT.get("/<id:source_id>")
def show(source_id: str) -> Response:
    """Show a source with its state."""
    return _page(here().access.source(source_id), {}, {})


@BLUEPRINT.post("/<id:source_id>")
def change(source_id: str) -> Response:
    """Change a source; without a user name and a password they stay."""
    context = here()
    values = _typed()
    try:
        given = {name: values[name] for name in ("name", "url")}
        changed = checked(SourceChange, **given, topics=_filters(values["topics"]))
        context.services.gateways.change_source(
            context.session,
            context.viewer,
            source_id,
            name=changed.name,
            url=changed.url,
            # A field left empty is one not given: else a new name would take the password away unseen.
            username=values["username"] or None,
            password=values["password"] or None,
            topics=changed.topics,
            now=context.now,
        )
    except Invalid as error:
        return _page(context.access.source(source_id), values, _errors(error), 422)
    return go(url_for("sources.show", source_id=source_id))


@BLUEPRINT.post("/<id:source_id>/pause")
def pause(source_id: str) -> Response:
    """Read a source no more for now."""
    return _paused(source_id, paused=True)


@BLUEPRINT.post("/<id:source_id>/resume")
def resume(source_id: str) -> Response:
    """Read a source again, at once."""
    return _paused(source_id, paused=False)


def _paused(source_id: str, *, paused: bool) -> Response:
    context = here()
    context.services.gateways.change_source(
        context.session, context.viewer, source_id, paused=paused, now=context.now
    )
    return go(url_for("sources.show", source_id=source_id))


@BLUEPRINT.post("/<id:source_id>/delete")
def remove(source_id: str) -> Response:
    """Remove a source; its devices stay."""
    context = here()
    context.services.gateways.remove_source(context.session, context.viewer, source_id, now=context.now)
    return go(url_for("gateways.index"))
