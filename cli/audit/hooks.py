"""P9, of webhooks: every event of ours that an endpoint wants has its delivery, and what a delivery says is true.

Read as: of each endpoint as it stands, for every event that was told after it wanted what it wants, and that was passed
on or should have been, there is a row; unless it is older than what is kept, or ended where as many ended ones are kept
as may be, or is one of those the endpoint says it missed. A row that says DELIVERED has an answer 2xx in the inbox; a
planned attempt is not long overdue, for how many of its endpoint's wait.
Endpoints of one property are not judged by events: which it is about, each document says differently.
"""

from __future__ import annotations

from collections import Counter
from typing import Any, NamedTuple

from cli.audit import names
from cli.audit.facts import Heard, Place
from cli.audit.findings import Verdict
from cli.audit.history import SLACK, History
from cli.audit.wire import Letter, Record, milliseconds

#: What is kept of an endpoint's ended deliveries: for so long, in milliseconds, and so many, less those that were
#: begun anew meanwhile.
_KEPT_MS = 7 * 24 * 3600 * 1000
_KEPT = 9_500
_ENDED = ("DELIVERED", "FAILED")
#: After so many answers other than 2xx a delivery may have been given up; after one where the endpoint said it is gone.
_GIVEN_UP = 8
_GONE = 410
#: Of what is planned for one endpoint so many are attempted at a time, each for so long at most, in milliseconds.
_AT_ONCE = 32
_LATE_MS = 11_000
_LISTENING = ("ENABLED", "PAUSED")


class EndpointRow(NamedTuple):
    types: tuple[str, ...]
    reception: str
    of_property: bool
    #: Since when it wants what it wants, in ms.
    since: int
    #: How many events it says it missed.
    missed: int = 0


class DeliveryRow(NamedTuple):
    status: str
    #: When the next attempt is due, in ms; 0 for none.
    due: int


def endpoint_row(row: dict[str, Any]) -> EndpointRow:
    since = milliseconds(row["wants_since"])
    types, reception = tuple(row.get("types", ())), row.get("reception", "ENABLED")
    return EndpointRow(types, reception, "property_id" in row, since, int(row.get("missed", 0)))


def delivery_row(row: dict[str, Any]) -> DeliveryRow:
    due = row.get("due")
    return DeliveryRow(str(row.get("status", "PENDING")), milliseconds(due) if due is not None else 0)


def tell(history: History, record: Record, letter: Letter) -> None:
    """Keeps a piece of news, where anybody listens."""
    if history.rows["endpoint"]:
        place = Place(record.topic, record.partition, record.offset)
        history.heard.append(Heard(letter.event_id, letter.event_type, place, record.timestamp))


def delivery_asked(history: History, record: Record, letter: Letter) -> None:
    """Keeps where a delivery was asked for."""
    name = str(letter.data["endpoint_id"]), str(letter.data["event_id"])
    history.deliveries.setdefault(name, Place(record.topic, record.partition, record.offset))


def answered(history: History, record: Record, letter: Letter) -> None:
    """Keeps which deliveries were taken, and how often the others were not."""
    data = letter.data
    name, status = f"{data['endpoint_id']}|{data['delivery_id']}", int(data.get("status") or 0)
    if 200 <= status < 300:
        history.taken.add(name)
    elif not data.get("postponed"):
        history.refused[name] += _GIVEN_UP if status == _GONE else 1


def check(history: History) -> Verdict:
    verdict = Verdict("P9 webhooks", "every event a webhook endpoint wants is delivered, planned or given up")
    found = {name: row.content for name, row in history.rows["delivery"].items() if row.content is not None}
    _check_rows(history, verdict, found)
    known = {name: row.content for name, row in history.rows["endpoint"].items()}
    judged = {name: row for name, row in known.items() if isinstance(row, EndpointRow) and row.reception in _LISTENING}
    for endpoint_id, endpoint in sorted(judged.items()):
        if endpoint.of_property:
            verdict.note = "endpoints of one property are judged by their rows only"
        else:
            _check_events(history, verdict, endpoint_id, endpoint, found)
    if not verdict.checked and not verdict.open:
        verdict.applicable, verdict.note = False, verdict.note or "there are no webhook endpoints"
    return verdict


def _check_rows(history: History, verdict: Verdict, found: dict[str, object]) -> None:
    pending = Counter(_endpoint_of(name) for name, row in found.items() if _is_pending(row))
    for name, row in sorted(found.items()):
        verdict.checked += 1
        if not isinstance(row, DeliveryRow):
            verdict.find(name, f"its row is {row}")
        elif row.status == "DELIVERED" and name not in history.taken:
            verdict.find(name, "its row says DELIVERED, but no attempt was answered with 2xx")
        elif (
            row.status == "PENDING"
            and row.due
            and history.overdue(row.due + _LATE_MS * (pending[_endpoint_of(name)] // _AT_ONCE))
        ):
            verdict.find(name, "its next attempt is long overdue")


def _check_events(
    history: History, verdict: Verdict, endpoint_id: str, endpoint: EndpointRow, found: dict[str, object]
) -> None:
    mine = {name: row for name, row in found.items() if name.startswith(f"{endpoint_id}|")}
    there = {_event_of(name) for name in mine}
    ended = sum(isinstance(row, DeliveryRow) and row.status in _ENDED for row in mine.values())
    forgotten = _over(history, endpoint_id) if ended >= _KEPT else set[str]()
    kept_from = max(history.now - _KEPT_MS, history.horizon([names.WEBHOOK_INBOX])) + SLACK
    missed = endpoint.missed
    for told in history.heard:
        if told.at <= endpoint.since + SLACK or not _wants(endpoint, told.event_type):
            continue
        if told.event_id in there:
            verdict.checked += 1
        elif told.at <= kept_from or told.event_id in forgotten:
            verdict.aged += 1
        elif not _decided(history, endpoint_id, told):
            verdict.open += 1
        elif missed > 0:
            missed -= 1
            verdict.note = f"{endpoint_id} says that it missed {endpoint.missed} events while too many were held"
        else:
            verdict.find(
                told.event_id, f"the endpoint {endpoint_id} wants {told.event_type}, and has no delivery of it"
            )


def _decided(history: History, endpoint_id: str, told: Heard) -> bool:
    """Whether there must be a delivery by now: the inbox is past where it was asked for, or nobody asks any more."""
    asked = history.deliveries.get((endpoint_id, told.event_id))
    if asked is not None:
        return history.handled(asked)
    passed = told.place.offset < history.heard_upto.get((told.place.topic, told.place.partition), 0)
    return passed or history.overdue(told.at)


def _over(history: History, endpoint_id: str) -> set[str]:
    """The events whose deliveries to an endpoint came to an end, as the answers in the inbox have it."""
    given_up = (name for name, times in history.refused.items() if times >= _GIVEN_UP)
    return {_event_of(name) for name in (*history.taken, *given_up) if name.startswith(f"{endpoint_id}|")}


def _is_pending(row: object) -> bool:
    return isinstance(row, DeliveryRow) and row.status == "PENDING"


def _endpoint_of(name: str) -> str:
    """The endpoint of a delivery's row."""
    return name.partition("|")[0]


def _event_of(name: str) -> str:
    """The event of a delivery's row."""
    return name.partition("|")[2].partition(".")[2]


def _wants(endpoint: EndpointRow, event_type: str) -> bool:
    if event_type.startswith(("webhook.", "platform.")):
        return False
    return any(
        event_type == wanted or (wanted.endswith("*") and event_type.startswith(wanted[:-1]))
        for wanted in endpoint.types
    )
