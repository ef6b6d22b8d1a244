"""Where each record goes: rows, dead letters, what stands in an inbox, what the world reads."""

from __future__ import annotations

from cli.audit import names
from cli.audit.changelog import file_row
from cli.audit.deadletters import file_dead_letter, meet_origin
from cli.audit.facts import Place, Poison
from cli.audit.history import History, Orphan
from cli.audit.inboxes import FILING
from cli.audit.news import hear, hear_again
from cli.audit.wire import Letter, Record, digest, read, short


def add(history: History, record: Record) -> None:
    """Files one record. What cannot be read is remembered as poison where that matters."""
    history.records += 1
    history.newest = max(history.newest, record.timestamp)
    history.first_at.setdefault((record.topic, record.partition), record.timestamp)
    if record.topic.endswith(names.DEAD):
        file_dead_letter(history, record)
    elif record.topic in names.CHANGELOGS:
        file_row(history, record)
    else:
        if record.topic in names.INBOXES:
            _count(history, record)
        if meet_origin(history, record):
            return
        if record.topic == names.REPLAYS:
            hear_again(history, record)
        elif record.topic in history.dialect.public:
            hear(history, record)
        else:
            _file_message(history, record)


def _count(history: History, record: Record) -> None:
    place = names.service_of(record.topic), record.partition
    history.ends[place] = record.offset + 1
    if not history.passed(*place, record.offset):
        history.waiting.setdefault(place, record.timestamp)


def _file_message(history: History, record: Record) -> None:
    letter = read(record.value)
    if letter is None:
        return _poison(history, record)
    file = FILING.get((record.topic, letter.event_type))
    if file is not None:
        try:
            file(history, record, letter)
        except (KeyError, TypeError, ValueError, ArithmeticError):
            return _poison(history, record)
    if record.topic in names.CAUSES:
        _identify(history, record, letter)


def _identify(history: History, record: Record, letter: Letter) -> None:
    history.identify(letter.event_id, letter.event_type, digest(record.value))
    history.know(letter.event_id, record.offset if record.topic == names.BOOKING_INBOX else None)
    if letter.event_type in names.ADMITTED and letter.cause is not None:
        history.admitted.add(short(letter.cause))
    if letter.event_type not in names.ORIGINS or letter.cause is not None:
        history.needs(Orphan(letter.event_type, letter.event_id, letter.cause, record.timestamp))


def _poison(history: History, record: Record) -> None:
    if record.topic in names.CAUSES:
        place = Place(record.topic, record.partition, record.offset)
        history.poison.append(Poison(place, record.timestamp, "holds no message"))
