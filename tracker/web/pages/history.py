"""What a subject did on one day: the track, trips and stops, charts, replay."""

from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta, tzinfo
from typing import Any

from apiflask import APIBlueprint
from flask import Response, request, url_for
from flask_babel import format_date, format_decimal, ngettext
from flask_babel import gettext as _

from tracker.domain.errors import NotFound
from tracker.domain.ids import is_id
from tracker.domain.subject import Subject
from tracker.history.days import days_of
from tracker.history.service import CONTEXT, scale_of, tracks_of
from tracker.history.trips import History, history_of
from tracker.store.access import PositionRow, TrackRow
from tracker.web import i18n
from tracker.web.api._export import file_of
from tracker.web.context import application, here
from tracker.web.day_story import Item, Story, story_of
from tracker.web.geojson import rfc3339
from tracker.web.pages._forms import page
from tracker.web.track_map import track_map
from tracker.web.zones import day_bounds, zone

BLUEPRINT = APIBlueprint("history", __name__, enable_openapi=False)

MOST_POSITIONS = 50_000
"""So many of a day and half a day on either side are looked at: one each two and a half seconds."""
FIRST_DAY = date(2000, 1, 2)
MPS_TO_KMH = 3.6
EXPORTS = (("gpx", "GPX"), ("kml", "KML"), ("csv", "CSV"))


@BLUEPRINT.get("/history")
def show() -> Response:
    """Show one day of one subject, in the reader's time zone; without a choice today, of the first one."""
    context = here()
    at, zone_name = zone()
    today = context.now.astimezone(at).date()
    day = _asked_day(today)
    subjects = sorted(context.access.subjects(), key=lambda each: (each.created_at, each.subject_id))
    subject = _asked_subject(subjects)
    common = {
        "subjects": [{"subject_id": one.subject_id, "name": one.name} for one in subjects],
        "zone_name": zone_name,
        "day": day,
        "day_text": format_date(day, "full"),
        "today": today,
    }
    if subject is None:
        return page("history.html", subject=None, map=None, **common)
    since, until = day_bounds(day, at)
    span = (day, since.timestamp(), until.timestamp())
    rows = context.access.position_rows(
        subject.subject_id, since=since - CONTEXT, until=until + CONTEXT, limit=MOST_POSITIONS
    )
    told = _histories(rows, subject)
    asked = request.args.get("device_id", "")
    sums = next(iter(days_of({asked: told[asked]} if asked in told else told, [span])), None)
    device_id = sums.device_id if sums else max(told, default="")
    story = story_of(
        [row for row in rows if row.device_id == device_id],
        told.get(device_id) or history_of(()),
        sums,
        since=span[1],
        until=span[2],
        now=context.now.timestamp(),
    )
    names = {one.device_id: one.name for one in context.access.devices(subject_id=subject.subject_id)}
    return page(
        "history.html",
        subject={"subject_id": subject.subject_id, "name": subject.name, "kind": subject.kind.value},
        cut=len(rows) >= MOST_POSITIONS,
        devices=[(each, names[each]) for each in told if each in names],
        device_id=device_id,
        map=track_map(nonce=context.nonce, locale=i18n.locale(), settings=context.services.settings),
        week=_week(day, today, subject.subject_id),
        story=_told(story),
        items=[_item(item, at, day) for item in story.items],
        track=_document(story, subject, since, until, zone_name),
        exports=_exports(subject.subject_id, day, since, until),
        **common,
    )


@BLUEPRINT.get("/history/geojson")
def geojson() -> Response:
    """Send the whole day as one GeoJSON file; the API gives it in pages."""
    context = here()
    at, _ignored = zone()
    subject = _asked_subject(context.access.subjects())
    if subject is None:
        raise NotFound("subject")
    since, until = day_bounds(_asked_day(context.now.astimezone(at).date()), at)
    return file_of(subject.subject_id, "geojson", since, until)


def _asked_day(today: date) -> date:
    try:
        asked = date.fromisoformat(request.args.get("day", ""))
    except ValueError:
        return today
    return min(max(asked, FIRST_DAY), today)


def _asked_subject(subjects: list[Subject]) -> Subject | None:
    """Return the subject that was asked for, else the first; of somebody else's id nothing is told."""
    asked = request.args.get("subject_id", "")
    if is_id(asked):
        return here().access.subject(asked)
    return subjects[0] if subjects else None


def _histories(rows: Iterable[PositionRow], subject: Subject) -> dict[str, History]:
    def told() -> dict[str, History]:
        tracks = tracks_of(TrackRow._make(row[: len(TrackRow._fields)]) for row in rows)
        return {device_id: history_of(track, scale_of(subject.kind)) for device_id, track in tracks.items()}

    return application().apart(told)


def _week(day: date, today: date, subject_id: str) -> dict[str, Any]:
    """Return the seven days that end with the day or, near today, with today, and the ways to others."""
    last = min(day + timedelta(days=3), today)

    def link(to: date) -> str:
        return url_for("history.show", subject_id=subject_id, day=to.isoformat())

    return {
        "days": [
            {
                "day": each.isoformat(),
                "weekday": format_date(each, "EEE"),
                "number": format_date(each, "d"),
                "text": format_date(each, "full"),
                "link": link(each),
                "chosen": each == day,
            }
            for each in (last - timedelta(days=back) for back in range(6, -1, -1))
        ],
        "before": link(day - timedelta(days=1)),
        "after": link(day + timedelta(days=1)) if day < today else None,
    }


def distance_text(metres: float) -> str:
    """Return a distance as people say it: whole metres below a kilometre, tenths of kilometres beyond."""
    if metres < 1000:
        return str(_("%(metres)s m", metres=round(metres)))
    return str(_("%(km)s km", km=format_decimal(round(metres / 1000, 1))))


def duration_text(seconds: float) -> str:
    """Return a duration in hours and minutes; less than one minute is one."""
    minutes = max(1, round(seconds / 60))
    if minutes < 60:
        return str(_("%(minutes)s min", minutes=minutes))
    hours, minutes = divmod(minutes, 60)
    if minutes:
        return str(_("%(hours)s h %(minutes)s min", hours=hours, minutes=minutes))
    return str(_("%(hours)s h", hours=hours))


def _told(story: Story) -> dict[str, Any]:
    return {
        "distance": distance_text(story.distance_m),
        "moving": duration_text(story.moving_s) if story.moving_s else None,
        "trips": sum(1 for item in story.items if item.kind == "trip"),
        "stops": sum(1 for item in story.items if item.kind == "stop"),
        "unknown": duration_text(story.unknown_s) if story.unknown_s else None,
        "beyond": distance_text(story.beyond_m) if story.beyond_m else None,
        "wrong": _left_out(story.wrong),
        "points": len(story.points),
    }


def _left_out(number: int) -> str | None:
    text = ngettext("%(num)s wrong position is left out", "%(num)s wrong positions are left out", number)
    return str(text) if number else None


def _item(item: Item, at: tzinfo, day: date) -> dict[str, Any]:
    def moment(epoch_s: float) -> dict[str, str]:
        local = datetime.fromtimestamp(epoch_s, UTC).astimezone(at)
        shown = local.strftime("%H:%M")
        # Midnight at the end of the day is still this day's.
        if local.date() != day and not (shown == "00:00" and local.date() == day + timedelta(days=1)):
            shown = f"{format_date(local.date(), 'd MMM')}, {shown}"
        return {"iso": rfc3339(datetime.fromtimestamp(epoch_s, UTC)), "text": shown}

    return {
        "kind": item.kind,
        "start": moment(item.started_at),
        "end": moment(item.ended_at),
        "duration": duration_text(item.duration_s),
        "distance": None if item.distance_m is None else distance_text(item.distance_m),
        "speed": None if item.max_speed_mps is None else round(item.max_speed_mps * MPS_TO_KMH),
        "unknown": duration_text(item.unknown_s) if item.unknown_s else None,
        "place": None if item.lat is None else f"{item.lat:.5f}, {item.lon:.5f}",
        "from": item.started_at,
        "to": item.ended_at,
    }


def _document(
    story: Story, subject: Subject, since: datetime, until: datetime, zone_name: str
) -> dict[str, Any]:
    """Return what history.js reads."""
    return {
        "subject_id": subject.subject_id,
        "kind": subject.kind.value,
        "zone": zone_name,
        "since": since.timestamp(),
        "until": until.timestamp(),
        "points": story.points,
        "top_mps": max((item.max_speed_mps or 0.0 for item in story.items), default=0.0),
        "items": [
            {
                "kind": item.kind,
                "from": item.started_at,
                "to": item.ended_at,
                "lat": item.lat,
                "lon": item.lon,
            }
            for item in story.items
        ],
    }


def _exports(subject_id: str, day: date, since: datetime, until: datetime) -> list[tuple[str, str]]:
    """Return the address and the name of each format of the day."""
    span: dict[str, Any] = {"subject_id": subject_id, "from": rfc3339(since), "to": rfc3339(until)}
    return [
        *((url_for("api-positions.index", **span, format=format_), name) for format_, name in EXPORTS),
        (url_for("history.geojson", subject_id=subject_id, day=day.isoformat()), "GeoJSON"),
    ]
