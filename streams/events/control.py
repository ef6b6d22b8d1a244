"""What the platform's parts tell each other about themselves, on topics of their own."""

from __future__ import annotations

from typing import Literal

from streams.events.base import Event, Id, Instant, Sealed, Whole


class WorkerOwns(Event, type="vacancy.worker.owns"):
    """A worker serves one partition of a service (`vacancy.workers`, keyed by `service/partition`)."""

    service: str
    partition: Whole
    url: str
    worker: str
    #: Rises with every claim of this partition; of two claims the later one holds.
    since: Instant


class UserKeyAdded(Event, type="vacancy.key.added"):
    """A user's data key, wrapped under the instance's secret (`vacancy.keys`, keyed by `user_id/key_id`)."""

    user_id: Id
    key_id: str
    wrapped: Sealed


class UserKeyErased(Event, type="vacancy.key.erased"):
    """Takes a user's key from `vacancy.keys`: a record without a value."""

    user_id: Id
    key_id: str

    @property
    def ends_its_key(self) -> bool:
        return True


class NumbersLeased(Event, type="vacancy.numbers.leased"):
    """A gateway takes the next 1,000 confirmation numbers; the record's offset is the block (`vacancy.numbers`)."""

    gateway: str


class InstanceNamed(Event, type="vacancy.instance.named"):
    """Which instance and layout a cluster carries (`vacancy.instance`, one key)."""

    instance_id: str
    layout: str


LetterAction = Literal["replayed", "edited", "dropped"]


class DeadLetterHandled(Event, type="platform.dead_letter.handled"):
    """Somebody did something to a dead letter (`vacancy.dead-letters`, keyed by the letter's id)."""

    #: TOPIC/OFFSET of the dead-letter topic, without its `.dlq`.
    letter: str
    action: LetterAction
    #: The letter's class.
    kind: str
    #: Who: a user of the machine, or the principal of an API key.
    by: str
    at: Instant
    note: str = ""
    #: How often what it holds was replayed by now.
    replays: Whole = 0
    #: The letter that an edit made.
    copy: str | None = None
