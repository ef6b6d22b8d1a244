"""What `vacancy users` prints: for people, and for programs. Never a word of the person."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from cli.erasure import Report
from cli.erasure_places import Place

_HOLDS = {
    "internal": "sealed",
    "documented": "shows what its document shows",
    "dead letters": "messages as they came",
    "files": "files in clear",
}
_PER_PLACE = 5


def as_dict(report: Report) -> dict[str, Any]:
    """What `--json` prints. Times are ISO 8601 in UTC."""
    return {
        "user_id": report.user_id,
        "erased_at": _iso(report.erased_at),
        "known": not report.is_unknown,
        "proven": None if report.erased_at is None or report.is_unknown else report.is_proven,
        "keys": report.keys,
        "keys_gone_by": _iso(report.keys_gone_by),
        "bookings_under_way": report.bookings,
        "removed": report.removed,
        "to_remove": report.to_remove if report.erased_at is None else [],
        "searched_for": report.searchable,
        "elsewhere": report.elsewhere,
        "places": [_place(place) for place in report.places],
    }


def _place(place: Place) -> dict[str, Any]:
    return {
        "place": place.name,
        "kind": place.kind,
        "searched": place.searched,
        "found": place.found,
        "files": place.files,
        "last": _iso(place.last),
        "gone_by": _iso(place.gone_by),
        "allowed": place.is_allowed,
    }


def lines_of(report: Report) -> Iterator[str]:
    """The same for people, line by line."""
    if report.erased_at is not None:
        yield f"{report.user_id} is erased since {_iso(report.erased_at)}: {report.keys} keys destroyed"
        if report.keys_gone_by is not None:
            yield f"  Kafka's files lose the wrapped keys by {_iso(report.keys_gone_by)}, once later keys came"
        yield f"  {len(report.removed)} files removed"
    else:
        yield f"{report.user_id} is not erased: {report.keys} keys, {len(report.to_remove)} files would be removed"
    if report.bookings:
        yield f"  bookings that are not over: {', '.join(report.bookings)}"
    yield ""
    yield from _found(report)
    for name in report.elsewhere:
        yield f"not looked into: {name}"
    if report.erased_at is not None:
        yield ""
        yield _verdict(report)


def _found(report: Report) -> Iterator[str]:
    if not report.searchable:
        yield "nothing of this user can be read on the log, so that there is nothing to search for;"
        yield "with --email the address is searched for all the same"
        return
    empty = [place for place in report.places if not place.found]
    for place in report.places:
        if place.found:
            yield f"{place.name}: {place.found} of {place.searched} ({_HOLDS[place.kind]}){_until(place)}"
            yield from (f"  {path}" for path in place.files[:_PER_PLACE])
            if len(place.files) > _PER_PLACE:
                yield f"  and {len(place.files) - _PER_PLACE} more"
    records = sum(place.searched for place in empty if place.kind != "files")
    files = sum(place.searched for place in empty if place.kind == "files")
    yield f"nothing in {len(empty)} other places: {records} records of topics, {files} files"


def _until(place: Place) -> str:
    if place.kind not in ("documented", "dead letters"):
        return ""
    return f", gone by {_iso(place.gone_by)}" if place.gone_by is not None else ", kept for ever"


def _verdict(report: Report) -> str:
    if report.is_proven:
        return "proven: nothing is readable but where a document shows it, until the dates above"
    if report.is_unknown:
        return f"nothing is known of {report.user_id}: there is no key, so that nothing sealed can be read"
    if not report.searchable:
        return "NOT PROVEN: there was nothing to search for"
    left = ", ".join(place.name for place in report.places if not place.is_allowed)
    return f"NOT PROVEN: still readable in {left}"


def _iso(time: datetime | None) -> str | None:
    return time.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z") if time is not None else None
