"""Parking: a mail or a text message that could not be handed over waits in its notice's row until it is tried again.

So an outage holds up nothing behind it and outlives a restart. What cannot be handed over for two days is given up.
"""

from __future__ import annotations

from datetime import datetime, timedelta

import msgspec

from domain.decision import Decision
from domain.notices import Contact, Notice, order
from domain.preferences import EVERYTHING, Preferences
from streams.events.notices import NoticeDue, NoticeParked

#: The pauses after which a notice is tried again; then always the last one.
PAUSES = (
    timedelta(seconds=5),
    timedelta(seconds=30),
    timedelta(minutes=2),
    timedelta(minutes=10),
    timedelta(hours=1),
)
#: What a provider may ask us to wait at most: it is input.
LONGEST_PAUSE = PAUSES[-1]
#: For so long after it was asked for a notice is tried: older news is rather a nuisance.
PATIENCE = timedelta(days=2)


def park(notice: Notice | None, parked: NoticeParked, now: datetime) -> Notice | None:
    """The notice after an attempt that was not to be. Total: of an attempt that is over nothing is learnt."""
    if notice is None or notice.status != "waiting" or notice.due is not None:
        return notice
    if (parked.channel, parked.attempt) != (notice.channel, notice.tries):
        return notice
    if now >= notice.created_at + PATIENCE:
        return msgspec.structs.replace(notice, status="unsent", error="undeliverable")
    pause = PAUSES[min(notice.tries, len(PAUSES) - 1)]
    if parked.retry_after is not None:
        pause = max(pause, timedelta(seconds=min(parked.retry_after, LONGEST_PAUSE.total_seconds())))
    return msgspec.structs.replace(notice, tries=notice.tries + 1, due=now + pause)


def retry(
    notice: Notice | None,
    contact: Contact | None,
    tick: NoticeDue,
    now: datetime,
    preferences: Preferences = EVERYTHING,
) -> Decision[Notice | None]:
    """The notice after a tick, and the order to hand it over: none before it is due, or once its user declined."""
    if notice is None or notice.due is None or notice.due != tick.due or now < notice.due:
        return Decision(notice)
    if not preferences.wants(notice.channel):
        return Decision(msgspec.structs.replace(notice, status="declined", due=None, instead=preferences.app))
    ordered = msgspec.structs.replace(notice, due=None)
    return Decision(ordered, (order(ordered, contact, preferences),))
