"""Reminders: what news plans was planned, and who was to be reminded while the instance ran was.

Read as: of news of ours that confirms or moves a stay or an appointment, or ends one, the notification service was told
what it means for the reminder: news that stands between other news of its partition of which it was. How long before
it begins a guest is reminded is a setting, which the auditor does not know: news is looked at that came a day earlier
than any reminder is planned. A booking's last plan, unless the booking is over, has notices once the instance has run
for a minute between the time it was due and the beginning.
"""

from __future__ import annotations

import tomllib
from collections import defaultdict
from datetime import datetime
from functools import cache
from importlib import resources

from cli.audit import names
from cli.audit.changelog import NoticeRow
from cli.audit.facts import Place
from cli.audit.findings import Verdict
from cli.audit.history import GRACE, History
from cli.audit.plans import Foretold, Plan
from cli.audit.wire import Letter, Record, milliseconds

_BEGINS = (names.CONFIRMED, names.UPDATED)
_OVER = (names.CANCELLED, names.NO_SHOW, names.CHECKED_IN)
_DAY = 24 * 60 * 60 * 1000


@cache
def _reminds(layout: str) -> bool:
    text = resources.files("config.layouts").joinpath(f"{layout}.toml").read_text(encoding="utf-8")
    return any(names.REMINDER in templates for templates in tomllib.loads(text).get("notices", {}).values())


def news_told(history: History, record: Record, letter: Letter) -> None:
    """Files news that plans a reminder."""
    about = letter.data.get("about")
    if letter.event_type not in (*_BEGINS, *_OVER) or not _reminds(history.dialect.name) or not isinstance(about, dict):
        return
    lines = about.get("lines")
    if not lines or about.get("kind") == "order":
        return
    begins = None if letter.event_type in _OVER else min(milliseconds(line["start"]) for line in lines)
    place = Place(record.topic, record.partition, record.offset)
    booking_id = str(letter.data["booking_id"])
    history.foretold.append(Foretold(booking_id, letter.event_id, letter.event_type, place, record.timestamp, begins))


def reminder_planned(history: History, record: Record, letter: Letter) -> None:
    """Files what news means for a booking's reminder."""
    data = letter.data
    due, start = data.get("due"), data.get("start")
    plan = Plan(
        cause=letter.cause or "",
        place=Place(record.topic, record.partition, record.offset),
        at=record.timestamp,
        told_at=milliseconds(data["told_at"]),
        over=bool(data.get("over", False)),
        due=milliseconds(due) if due else None,
        start=milliseconds(start) if start else None,
        reminder=f"{data['booking_id']}/{datetime.fromisoformat(start).isoformat()}/reminder" if start else "",
        channels=frozenset(data.get("templates", {})),
    )
    history.plans[data["booking_id"]].append(plan)


def check(history: History, verdict: Verdict) -> None:
    """Adds what is found to the verdict on notices."""
    _check_planned(history, verdict)
    _check_due(history, verdict)


def _check_planned(history: History, verdict: Verdict) -> None:
    plans = [plan for planned in history.plans.values() for plan in planned]
    known = {plan.cause for plan in plans}
    longest = max((plan.start - plan.due for plan in plans if plan.start and plan.due), default=None)
    offsets: defaultdict[tuple[str, int], list[int]] = defaultdict(list)
    for news in history.foretold:
        if news.event_id in known:
            offsets[news.place[:2]].append(news.place.offset)
    for news in history.foretold:
        if news.event_id in known:
            verdict.checked += 1
            continue
        around = offsets.get(news.place[:2])
        early = news.begins is None or (longest is not None and news.begins > news.at + longest + _DAY)
        if around and min(around) < news.place.offset < max(around) and early and news.at < history.now - GRACE:
            verdict.checked += 1
            verdict.find(news.event_id, f"{news.event_type} was not taken into account for a reminder")


def _check_due(history: History, verdict: Verdict) -> None:
    rows = (row.content for row in history.rows["notice"].values())
    told = {row.cause for row in rows if isinstance(row, NoticeRow) and row.cause}
    for booking_id, plans in sorted(history.plans.items()):
        last = max(plans, key=lambda plan: (plan.told_at, plan.place.offset))
        if any(plan.over for plan in plans) or not last.due or not last.start or not last.channels:
            continue
        if not all(history.passed("notification", plan.place.partition, plan.place.offset) for plan in plans):
            verdict.open += 1
        elif last.reminder in told:
            verdict.checked += 1
        elif min(history.now, last.start) > max(last.due, last.at, *history.claims) + GRACE:
            verdict.checked += 1
            verdict.find(booking_id, "was to be reminded of, and was not")
