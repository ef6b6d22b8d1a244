"""P9, of webhooks: every event of ours that an endpoint wants has its delivery, and what a delivery says is true.

Read as: of each endpoint as it stands, for every event that was told after it wanted what it wants (and that is not
older than what is kept), there is a row; a row that says DELIVERED has an answer 2xx in the inbox; a planned attempt is
not long overdue. Endpoints of one property are not judged by events: which it is about, each document says differently.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from cli.audit.facts import Heard
from cli.audit.findings import Verdict
from cli.audit.history import SLACK, History
from cli.audit.wire import Letter, Record, milliseconds

#: What is kept of an endpoint's deliveries: for so long, in milliseconds, and so many, less those on their way out.
_KEPT_MS = 7 * 24 * 3600 * 1000
_KEPT = 9_500
_LISTENING = ("ENABLED", "PAUSED")


class EndpointRow(NamedTuple):
    types: tuple[str, ...]
    reception: str
    of_property: bool
    #: Since when it wants what it wants, in ms.
    since: int


class DeliveryRow(NamedTuple):
    status: str
    #: When the next attempt is due, in ms; 0 for none.
    due: int


def endpoint_row(row: dict[str, Any]) -> EndpointRow:
    since = milliseconds(row["wants_since"])
    return EndpointRow(tuple(row.get("types", ())), row.get("reception", "ENABLED"), "property_id" in row, since)


def delivery_row(row: dict[str, Any]) -> DeliveryRow:
    due = row.get("due")
    return DeliveryRow(str(row.get("status", "PENDING")), milliseconds(due) if due is not None else 0)


def tell(history: History, record: Record, letter: Letter) -> None:
    """Keeps a piece of news, where anybody listens."""
    if history.rows["endpoint"]:
        history.heard.append(Heard(letter.event_id, letter.event_type, record.timestamp))


def answered(history: History, record: Record, letter: Letter) -> None:
    """Keeps which deliveries were taken."""
    data = letter.data
    if 200 <= int(data.get("status") or 0) < 300:
        history.taken.add(f"{data['endpoint_id']}|{data['delivery_id']}")


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
    for name, row in sorted(found.items()):
        verdict.checked += 1
        if not isinstance(row, DeliveryRow):
            verdict.find(name, f"its row is {row}")
        elif row.status == "DELIVERED" and name not in history.taken:
            verdict.find(name, "its row says DELIVERED, but no attempt was answered with 2xx")
        elif row.status == "PENDING" and row.due and history.overdue(row.due):
            verdict.find(name, "its next attempt is long overdue")


def _check_events(
    history: History, verdict: Verdict, endpoint_id: str, endpoint: EndpointRow, found: dict[str, object]
) -> None:
    places = [name.partition("|")[2].partition(".") for name in found if name.startswith(f"{endpoint_id}|")]
    delivered, oldest = {event_id for _, _, event_id in places}, min((int(at) for at, _, _ in places), default=0)
    kept_from = max(history.now - _KEPT_MS, oldest if len(places) >= _KEPT else 0) + SLACK
    for told in history.heard:
        if told.at <= endpoint.since + SLACK or not _wants(endpoint, told.event_type):
            continue
        if told.event_id in delivered:
            verdict.checked += 1
        elif told.at <= kept_from:
            verdict.aged += 1
        elif history.overdue(told.at):
            verdict.find(
                told.event_id, f"the endpoint {endpoint_id} wants {told.event_type}, and has no delivery of it"
            )
        else:
            verdict.open += 1


def _wants(endpoint: EndpointRow, event_type: str) -> bool:
    if event_type.startswith("webhook."):
        return False
    return any(
        event_type == wanted or (wanted.endswith("*") and event_type.startswith(wanted[:-1]))
        for wanted in endpoint.types
    )
