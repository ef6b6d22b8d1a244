"""The booking service's rows: what time does to bookings is found by an index that follows every one of them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import msgspec
import pytest

from agents.booking import overdue
from agents.ticking import tell_due
from domain.booking import BookingStatus
from domain.stay_times import times_of
from streams.envelope import originate
from streams.events import Envelope, Event
from streams.events.booking import CheckIn, DeadlinePassed, StayDue
from streams.events.stay import StayRules
from streams.local import Row
from streams.rows import RowStore
from streams.working import WorkingRows
from tables import reservations
from tables.reservations import Reservations
from tests.domain import messages as say

AUTO = times_of(StayRules(no_show="auto", check_out="auto"), "UTC", date(2026, 12, 24), date(2026, 12, 26))
BEFORE = say.NOW


class Service:
    """One partition of the booking service, durable after each message."""

    def __init__(self, store: RowStore) -> None:
        self.store, self._offset = store, 0

    def take(self, *events: Event, at: datetime = BEFORE) -> None:
        for event in events:
            rows = WorkingRows(self.store.partition(0).local)
            Reservations().apply(rows, originate(event, source="test", now=at), at, self._offset)
            changed = rows.take_changes().items()
            self.store.partition(0).store(
                {key: Row(written.payload, self._offset, self._offset) for key, written in changed}, self._offset + 1
            )
            self._offset += 1

    def due(self, at: datetime, most: int = 500) -> list[tuple[str, datetime]]:
        return [(step.booking_id, step.due) for step in reservations.due_stays(self.store, 0, at, most)]

    def status(self, booking_id: str = "b1") -> BookingStatus:
        row = reservations.read(self.store, booking_id)
        assert row is not None
        return row.status

    async def tick(self, at: datetime) -> int:
        """What the ticker does at that time; how many ticks there were."""
        said: list[Envelope] = []

        async def acknowledged() -> None: ...

        def voice(envelope: Envelope) -> Any:
            said.append(envelope)
            return acknowledged()

        runtime = SimpleNamespace(voice=SimpleNamespace(say=voice))
        await tell_due(cast(Any, self), cast(Any, runtime), overdue, at)
        self.take(*(envelope.data for envelope in said), at=at)
        return len(said)


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    store = RowStore("booking", 1, tmp_path)
    store.open(0)
    store.ready(0)
    yield Service(store)
    store.close()


def paid(number: int = 1, **more: Any) -> list[Event]:
    """A stay that is confirmed and paid."""
    name = f"b{number}"
    asked = msgspec.structs.replace(say.request(booking=name, **more), prepaid=False)
    return [asked, msgspec.structs.replace(say.reserved(), booking_id=name)]


async def test_stays_are_moved_on_once_they_are_due_and_once(service: Service) -> None:
    service.take(*paid(times=AUTO))
    assert service.due(AUTO.no_show_from) == []
    assert await service.tick(AUTO.no_show_from) == 0
    after = AUTO.no_show_from + timedelta(seconds=1)
    assert service.due(after) == [("b1", AUTO.no_show_from)]
    assert (await service.tick(after), service.status()) == (1, BookingStatus.NO_SHOW)
    assert (await service.tick(after), service.due(after)) == (0, [])


async def test_after_days_of_standing_still_everything_due_is_caught_up(service: Service) -> None:
    """The guest of b2 came: it is due to be checked out. Those who never came are due since their night."""
    for number in range(1, 8):
        service.take(*paid(number, times=AUTO))
    service.take(CheckIn(booking_id="b2"), at=AUTO.arrival)
    late = AUTO.departed + timedelta(days=5)
    assert len(service.due(late, most=3)) == 3
    assert await service.tick(late) == 7
    assert [service.status(f"b{number}") for number in (1, 2, 3)] == ["NO_SHOW", "COMPLETED", "NO_SHOW"]
    assert await service.tick(late) == 0


async def test_the_index_follows_changes_and_ends(service: Service) -> None:
    later = times_of(StayRules(no_show="auto"), "UTC", date(2026, 12, 25), date(2026, 12, 26))
    service.take(*paid(times=AUTO))
    service.take(say.change(say.booked_line(start=say.night(1), end=say.night(2)), times=later))
    far = datetime(2027, 6, 1, tzinfo=UTC)
    assert service.due(far) == []  # inventory has not answered
    service.take(say.reserved(revision=2))
    assert service.due(far) == [("b1", later.no_show_from)]
    service.take(say.cancel())
    assert service.due(far) == []


async def test_what_is_manual_is_in_no_index(service: Service) -> None:
    manual = msgspec.structs.replace(AUTO, no_show="manual", check_out="manual")
    service.take(*paid(times=manual), *paid(2))
    assert service.due(AUTO.departed + timedelta(days=1)) == []


async def test_an_entry_that_came_back_goes_with_its_tick(service: Service) -> None:
    """A zombie wrote an old entry over its end: the tick it makes changes nothing but the entry."""
    service.take(*paid(times=AUTO))
    key = next(key for key, _ in service.store.scan(0, "t|"))
    stale = dict(service.store.scan(0, "t|"))[key]
    service.take(say.cancel())
    service.store.partition(0).store({key: Row(stale, 99, 99)}, 100)
    after = AUTO.no_show_from + timedelta(seconds=1)
    assert (await service.tick(after), service.status()) == (1, BookingStatus.CANCELLED)
    assert service.due(after) == []


async def test_deadlines_and_stays_are_ticked_side_by_side(service: Service) -> None:
    service.take(say.request(booking="b9"), *paid(times=AUTO))
    assert await service.tick(AUTO.departed) == 2
    assert (service.status("b9"), service.status()) == (BookingStatus.EXPIRED, BookingStatus.NO_SHOW)
    service.take(DeadlinePassed(booking_id="b9"), StayDue(booking_id="b1", due=AUTO.no_show_from), at=AUTO.departed)
    assert await service.tick(AUTO.departed) == 0
