"""Positions as a file that is written while it is sent."""

from collections.abc import Sequence
from datetime import datetime
from urllib.parse import quote

from flask import Response

from tracker import registry
from tracker.domain.position import Placed
from tracker.history.exporting import pages
from tracker.history.exports._writer import Writer
from tracker.store.access import Access
from tracker.web.context import here


def file_of(subject_id: str, format_name: str, since: datetime, until: datetime) -> Response:
    """Return all positions of a subject in a span as a download.

    Each page is read in a transaction of its own, so that a slow reader holds nothing of the database; an
    error midway breaks the answer off, which the reader notices.

    Raises:
        NotFound: the subject is missing, or not the caller's to see.
    """
    context = here()
    subject = context.access.subject(subject_id)
    viewer, database = context.viewer, context.services.database
    writer: Writer = registry.load("tracker.history.exports", "FORMAT")[format_name]

    def fetch(
        since: datetime, until: datetime, after: tuple[datetime, str] | None, limit: int
    ) -> Sequence[Placed]:
        with database.begin() as session:
            return Access(session, viewer).positions(
                subject_id, since=since, until=until, after=after, limit=limit
            )

    answer = Response(writer.write(pages(fetch, since, until), subject.name), content_type=writer.media_type)
    name = f"{subject.name} {since:%Y-%m-%d}.{writer.name}"
    plain = f"{subject_id}-{since:%Y%m%d}.{writer.name}"
    answer.headers["Content-Disposition"] = (
        f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}"
    )
    return answer
