"""Forms of pages, checked by the same shapes as the calls of the API."""

from typing import TypeVar

from flask import Response, make_response, redirect, render_template, request
from flask_babel import gettext as _
from pydantic import BaseModel, ValidationError

from tracker.domain.errors import Invalid
from tracker.web.field_messages import field_message

Shape = TypeVar("Shape", bound=BaseModel)


def text(name: str) -> str:
    """Return what was typed into a field, without blanks around it; "" if nothing."""
    return request.form.get(name, "").strip()


def ticked(name: str) -> bool:
    """Tell whether a box was ticked."""
    return request.form.get(name) == "true"


def checked(shape: type[Shape], **fields: object) -> Shape:
    """Return the fields as the API would take them; what is "" was not given.

    Raises:
        Invalid: names each wrong field, in the reader's language.
    """
    try:
        return shape.model_validate(
            {name: value for name, value in fields.items() if value not in ("", None)}
        )
    except ValidationError as error:
        raise Invalid(
            *((".".join(str(part) for part in one["loc"]), field_message(one)) for one in error.errors())
        ) from None


def messages(error: Invalid) -> dict[str, str]:
    """Return what is wrong by field, in the reader's language; the first of each field."""
    found: dict[str, str] = {}
    for field, message in error.errors:
        said = str(_(message))
        found.setdefault(field, said[:1].upper() + said[1:])
    return found


def page(template: str, status: int = 200, **context: object) -> Response:
    """Return a rendered page."""
    return make_response(render_template(template, **context), status)


def go(target: str) -> Response:
    """Return the answer that has the browser open `target`, a path of this service, by GET."""
    return make_response(redirect(target, 303))
