"""P2 counts what is held for offers: whatever the service decides passes, and a night offered twice is found."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from cli.audit import names
from cli.audit.changelog import NightRow
from cli.audit.filing import add
from cli.audit.findings import Verdict
from cli.audit.history import History
from cli.audit.inventory import replay
from cli.audit.wire import Record
from domain.inventory import Night
from streams.codec import encode
from streams.envelope import caused_by, originate
from streams.events import Envelope, Event
from streams.events.availability import DeclareResource
from streams.events.booking import LineRejected, LineReserved
from streams.events.waitlist import EntryNews
from tests.cli.audit.clean import clean, pend
from tests.cli.audit.story import UNIT, Story
from tests.domain.messages import NOW, declare
from tests.domain.test_waitlist_oracle import Step, histories
from tests.domain.waiting import Desk

MAY = "2026-05-01"
SIGNED = (("ce_id", b"id"), ("vacancy-sig", b"5168"))


class Read:
    """What the service is told and says, as the auditor reads it: inboxes first, then the news."""

    def __init__(self) -> None:
        self.history = History()
        self._offset = 0
        self._news: list[Record] = []

    def file(self, message: Event, said: tuple[Event, ...], now: datetime) -> None:
        asked = originate(message, source="test", now=now)
        add(self.history, self._record(names.AVAILABILITY_INBOX, asked))
        for index, event in enumerate(said):
            follows = caused_by(asked, event, index=index, now=now, source="availability")
            if isinstance(event, LineReserved | LineRejected):
                add(self.history, self._record(names.BOOKING_INBOX, follows))
            elif isinstance(event, EntryNews):
                self._news.append(self._record(names.EVENTS, follows, SIGNED))

    def hear(self) -> History:
        for record in self._news:
            add(self.history, record)
        return self.history

    def _record(self, topic: str, envelope: Envelope, headers: tuple[tuple[str, bytes], ...] = ()) -> Record:
        self._offset += 1
        at = int(envelope.timestamp.timestamp() * 1000)
        return Record(topic, 0, self._offset, at, b"key", encode(envelope), headers)


@settings(max_examples=100, deadline=None)
@given(st.builds(declare, capacity=st.integers(1, 2)), histories())
def test_the_books_are_what_the_service_keeps_offers_included(first: DeclareResource, steps: list[Step]) -> None:
    desk, read, now = Desk(), Read(), NOW
    for message, minutes in [(first, 0), *steps]:
        now += timedelta(minutes=minutes)
        read.file(message, desk.take(message, now), now)
    history, verdict = read.hear(), Verdict("P2", "")

    books = replay(history, history.inventory[0], verdict)

    assert verdict.findings == []
    kept = {key.rpartition("|")[2]: desk.read(key, Night) for key, _ in desk.stored.scan("n|")}
    found = {slot: NightRow(night.holds, night.sold) for (_, slot), night in books.nights.items()}
    assert found == {slot: NightRow(night.holds, night.sold) for slot, night in kept.items()}


def asked(story: Story, what: str, entry: str) -> str:
    """Something is asked of the waitlist of the unit, which has two rooms."""
    data = {"entry_id": entry, **_place()}
    return story.say(names.AVAILABILITY_INBOX, f"availability.waitlist.{what}", data, key=UNIT)


def told(story: Story, what: str, entry: str, cause: str, quantity: int = 1) -> None:
    times = {"start_time": f"{MAY}T00:00:00Z", "end_time": "2026-05-02T00:00:00Z"}
    data = {"entry_id": entry, "user_id": "u", **_place(), **times, "quantity": quantity}
    if what == "offered":
        data["offered_at"] = "2026-03-01T12:00:00Z"
    story.tell(f"waitlist.entry.{what}", data, key=entry, cause=cause)


def _place() -> dict[str, Any]:
    provider, product = UNIT.split("/")
    return {"provider_id": provider, "product_id": product}


def found(story: Story) -> list[tuple[str, str]]:
    story.settle()
    return [(finding.subject, finding.what) for finding in story.verdicts()["P2"].findings]


def test_an_acceptance_above_what_is_left_beside_an_offer_is_found() -> None:
    """Both rooms are held for an offer; a third one is sold."""
    story = clean()
    told(story, "offered", "w", asked(story, "offer", "w"), quantity=2)
    pend(story, "z", start=MAY)
    assert found(story) == [("z", f"took {UNIT} {MAY} to 3 of 2 with w/1, z/1")]


def test_an_offer_of_what_is_sold_is_found() -> None:
    story = clean()
    pend(story, "z", start=MAY, quantity=2)
    told(story, "offered", "w", asked(story, "due", "v"))
    assert found(story) == [("w", f"took {UNIT} {MAY} to 3 of 2 with w/1, z/1")]


def test_an_offer_that_is_taken_over_or_over_counts_no_more() -> None:
    """One entry's booking takes its offer over, another's offer expires: then one room is free."""
    story = clean()
    first = asked(story, "offer", "w")
    told(story, "offered", "w", first)
    told(story, "offered", "v", first)
    pend(story, "w", start=MAY)
    told(story, "accepted", "w", story.bookings["w"].last["hold"])
    told(story, "expired", "v", asked(story, "due", "v"))
    pend(story, "z", start=MAY)
    assert found(story) == []
    pend(story, "y", start=MAY)
    assert found(story) == [("y", f"took {UNIT} {MAY} to 3 of 2 with w/1, y/1, z/1")]
