"""When what was said once can no longer be read: the arithmetic of retention and of compaction."""

from __future__ import annotations

from datetime import datetime, timedelta

#: A segment of a topic is closed after this time at the latest, and only closed ones age: Kafka's default.
SEGMENT = timedelta(days=7)
#: Kafka looks for what may go every five minutes, and takes it off the disk a minute later.
SWEEP = timedelta(minutes=6)


def gone_by(last: datetime, kept: timedelta | None, segment: timedelta = SEGMENT) -> datetime | None:
    """The time by which retention has removed a record of `last`; None where it is kept for ever.

    A segment ages by its youngest record: in the worst case that is one which came when the segment was about to close.
    """
    if kept is None:
        return None
    try:
        return last + kept + segment + SWEEP
    except OverflowError:  # kept for longer than there are years
        return None
