"""Reminders: which news plans one, what the latest news makes of it, and what is told once it is due.

A booking is reminded of once for each time it begins. Of two pieces of news the one told later holds, in whatever order
they come; what has come to its end is never reminded of again.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, time, timedelta
from typing import Any, cast

import msgspec

from domain.calendar import Unbookable, stay_of, zone
from domain.facts import facts_of
from domain.notices import notice_id_of, reachable
from streams.events import Envelope
from streams.events.about import About
from streams.events.booking_news import (
    BookingCancelled,
    BookingCheckedIn,
    BookingConfirmed,
    BookingNews,
    BookingNoShow,
    BookingUpdated,
)
from streams.events.notices import Channel, Notify, PlanReminder, ReminderDue

#: A stay begins on the afternoon of its first day, by the property's clock: nobody is written to at midnight.
ARRIVAL = time(15)
_OVER = (BookingCancelled, BookingNoShow, BookingCheckedIn)


class Reminder(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """What is known of one booking: whether and when its user is to be reminded of it."""

    booking_id: str
    user_id: str
    #: When the news was told that it follows.
    told_at: datetime
    over: bool = False
    #: None while nothing is to be told.
    due: datetime | None = None
    start: datetime | None = None
    templates: dict[Channel, str] = {}
    facts: dict[str, Any] = {}
    #: Sealed under the user's key.
    guest: str | None = None
    #: The beginning that was reminded of last.
    reminded: datetime | None = None


def planned(news: Envelope, notices: Mapping[str, Mapping[str, str]], hours: int) -> list[PlanReminder]:
    """What a piece of news means for the reminder of its booking; nothing for most.

    `notices`: channel -> canonical type -> template, as a layout has them. `hours` before it begins a guest is
    reminded, 0 is never; nobody is who books later than that.
    """
    told = {channel: templates[ReminderDue.event_type] for channel, templates in notices.items() if _reminds(templates)}
    event = news.data
    if not told or hours == 0 or not isinstance(event, BookingNews) or event.about is None:
        return []
    about = event.about
    plan = PlanReminder(user_id=event.user_id, booking_id=event.booking_id, told_at=news.timestamp)
    if about.kind == "order" or not about.lines:
        return []
    if isinstance(event, _OVER):
        return [msgspec.structs.replace(plan, over=True)]
    if not isinstance(event, BookingConfirmed | BookingUpdated):
        return []
    times = _times_of(about, hours)
    if times is None or times[0] <= news.timestamp:
        # A new booking has none that would have to go.
        return [plan] if isinstance(event, BookingUpdated) else []
    due, start = times
    templates = {cast("Channel", channel): told[channel] for channel in told if reachable(channel, event)}
    facts = facts_of(event)
    return [msgspec.structs.replace(plan, due=due, start=start, templates=templates, facts=facts, guest=about.guest)]


def plan(before: Reminder | None, asked: PlanReminder) -> Reminder:
    """The reminder after the latest news. Total: what was told earlier changes nothing."""
    if before is not None and (before.over or asked.told_at < before.told_at):
        return before
    reminded = before.reminded if before is not None else None
    after = Reminder(
        booking_id=asked.booking_id, user_id=asked.user_id, told_at=asked.told_at, over=asked.over, reminded=reminded
    )
    if asked.due is None or asked.over or asked.start == reminded:
        return after
    return msgspec.structs.replace(
        after,
        due=asked.due,
        start=asked.start,
        templates=asked.templates,
        facts=asked.facts,
        guest=asked.guest,
    )


def remind(reminder: Reminder | None, tick: ReminderDue, now: datetime) -> tuple[Reminder | None, list[Notify]]:
    """The reminder after a tick, and the notices it makes: none before it is due, or once the booking has begun."""
    if reminder is None or reminder.due is None or reminder.due != tick.due or now < reminder.due:
        return reminder, []
    done = msgspec.structs.replace(
        reminder, due=None, start=None, templates={}, facts={}, guest=None, reminded=reminder.start
    )
    if reminder.start is None or now >= reminder.start:
        return done, []
    cause = f"{reminder.booking_id}/{reminder.start.isoformat()}/reminder"
    notices = [
        Notify(
            notice_id=notice_id_of(cause, channel),
            user_id=reminder.user_id,
            channel=channel,
            template=template,
            facts=reminder.facts,
            guest=reminder.guest,
            booking_id=reminder.booking_id,
            cause_id=cause,
            news=ReminderDue.event_type,
        )
        for channel, template in reminder.templates.items()
    ]
    return done, notices


def _reminds(templates: Mapping[str, str]) -> bool:
    return ReminderDue.event_type in templates


def _times_of(about: About, hours: int) -> tuple[datetime, datetime] | None:
    """When to remind and when it begins: so many hours before, by the clocks of the place. None if no calendar says."""
    first, last = min(line.start for line in about.lines), max(line.end for line in about.lines)
    try:
        local = zone(about.time_zone)
        if about.kind == "stay":
            begins = datetime.combine(stay_of(first, last, about.time_zone)[0], ARRIVAL)
        else:
            begins = first.astimezone(local).replace(tzinfo=None)
        due = begins - timedelta(hours=hours)
        return due.replace(tzinfo=local).astimezone(UTC), begins.replace(tzinfo=local).astimezone(UTC)
    except (Unbookable, OverflowError):
        return None
