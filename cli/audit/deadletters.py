"""P8: poison lies in the dead-letter topic with its bytes as they came, and nothing else waits for it.

Read as: every record on `{topic}.dlq` says in its headers why, and from which topic, partition and offset it came, and
carries the bytes that stand there, as far as they still stand there; an edited copy names the letter it was made of
instead. And every record of an inbox that holds no message has such a letter as soon as its service is past it; so has
every record of a public topic that holds none, or that another program wrote and that is not its to say, as soon as the
gate is past it, and every replay that fails again. The gate of a running instance is past everything that is older than
a minute. An order whose content the outside refuses has a letter, and its answer beside it.
"""

from __future__ import annotations

from cli.audit import names
from cli.audit.facts import Place
from cli.audit.findings import Verdict
from cli.audit.history import DeadLetter, History
from cli.audit.names import DEAD, REPLAYS
from cli.audit.wire import Record, digest, header

REASON, CLASS, TOPIC, PARTITION, OFFSET, VALUE, GROUP, EDITED = (
    f"vacancy-dlq-{name}"
    for name in ("reason", "class", "topic", "partition", "offset", "value", "group", "edited-from")
)


def file_dead_letter(history: History, record: Record) -> None:
    place = Place(record.topic, record.partition, record.offset)
    said = {name: header(record.headers, name) for name in (REASON, TOPIC, PARTITION, OFFSET)}
    missing = tuple(name for name, value in said.items() if not value)
    copied = header(record.headers, EDITED)
    content = _content(record.key, None if header(record.headers, VALUE) == "null" else record.value)
    try:
        topic = history.spelling.origin(str(said[TOPIC]))
        origin = Place(topic, int(str(said[PARTITION])), int(str(said[OFFSET])))
    except ValueError:
        missing, origin = missing or (PARTITION, OFFSET), None
    copy_of = _letter(history, copied) if copied else None
    history.dead.append(DeadLetter(place, None if missing else origin, content, missing, copy_of))
    if origin is not None and not missing and copy_of is None:
        history.dead_origins.setdefault(origin, set()).add(content)
        if _silences(history, origin, record):
            history.silenced.add(origin)


def _letter(history: History, letter_id: str) -> Place:
    """Where the letter TOPIC/OFFSET lies."""
    topic, _, offset = letter_id.rpartition("/")
    return Place(history.spelling.origin(topic) + DEAD, 0, int(offset) if offset.isdecimal() else -1)


def _silences(history: History, origin: Place, letter: Record) -> bool:
    """What another group could not use on a public topic was said all the same; only the gate judges it for us. So was
    an order whose content the outside refused: its refusal is answered.
    """
    if origin.topic in names.EFFECTS and header(letter.headers, CLASS) == "refused":
        return False
    group = header(letter.headers, GROUP)
    judge = history.spelling.origin(group) if group is not None else history.dialect.gate
    return origin.topic not in history.dialect.public or judge == history.dialect.gate


def meet_origin(history: History, record: Record) -> bool:
    """Compares the bytes of a record that was dead-lettered; whether it says nothing, for that."""
    place = Place(record.topic, record.partition, record.offset)
    contents = history.dead_origins.get(place)
    if contents is not None:
        history.met[place] = contents == {_content(record.key, record.value)}
    return place in history.silenced


def check(history: History) -> Verdict:
    verdict = Verdict("P8", "a poison message is in the dead-letter topic, with its bytes")
    places = {letter.place for letter in history.dead}
    for letter in history.dead:
        verdict.checked += 1
        if letter.copy_of is None or letter.missing:
            _judge(history, verdict, letter)
        elif letter.copy_of not in places:
            verdict.find(_text(letter.place), f"an edited copy of {_text(letter.copy_of)}, where no letter lies")
    for place, at, why in history.poison:
        if history.handled(place):
            verdict.checked += 1
            verdict.find(_text(place), f"{why}, was passed, and is in no dead-letter topic")
        elif place.topic in (*history.dialect.public, REPLAYS) and history.overdue(at):
            verdict.checked += 1
            verdict.find(_text(place), f"{why}, and nothing has looked at it")
        else:
            verdict.open += 1
    return verdict


def _judge(history: History, verdict: Verdict, letter: DeadLetter) -> None:
    if letter.origin is None:
        return verdict.find(_text(letter.place), f"a dead letter without {', '.join(letter.missing)}")
    where = letter.origin.topic, letter.origin.partition
    if letter.origin.offset < history.begins.get(where, 0):
        verdict.aged += 1
    elif letter.origin not in history.met:
        verdict.find(_text(letter.place), f"a dead letter from {_text(letter.origin)}, where nothing stands")
    elif not history.met[letter.origin]:
        verdict.find(_text(letter.place), f"other bytes than stand at {_text(letter.origin)}")


def _content(key: bytes | None, value: bytes | None) -> bytes:
    return digest(key, value)


def _text(place: Place) -> str:
    return f"{place.topic}/{place.partition}/{place.offset}"
