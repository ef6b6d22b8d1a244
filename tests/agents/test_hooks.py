"""The webhook service's edges: news to deliveries, attempts to answers, and what its clock says is due."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any, cast

import msgspec
import orjson
import pytest

from adapters.hook_sender import HookSender, Sent
from agents.hook_intake import HookIntake, body_of
from agents.hooks import already_answered, due, send_webhook
from domain.hook_load import MOST_UNDER_WAY
from streams.codec import decode
from streams.effects import Unreachable
from streams.envelope import caused_by, originate
from streams.events import Envelope, Event
from streams.events.about import About, Line
from streams.events.booking_news import BookingCancelled, BookingConfirmed, BookingCreated
from streams.events.hooks import (
    AddEndpoint,
    ChangeEndpoint,
    Deliver,
    DeliveryAnswered,
    DeliveryDue,
    EndpointKnown,
    EndpointPaused,
    ForgetDeliveries,
    Format,
    Redeliver,
    RemoveEndpoint,
    SendWebhook,
)
from streams.events.users import UserCreated
from streams.group import GroupApp
from streams.keyring import Keyring
from streams.layout import load_layout
from streams.listening import Listener
from streams.local import Row
from streams.processor import Batch
from streams.publisher import Record
from streams.rows import RowStore
from streams.signing import Signer
from streams.voice import Voice
from streams.working import WorkingRows
from tables.hook_rows import deliveries_prefix, endpoint_row
from tables.hooks import Hooks, deliveries, endpoints, load, read
from tests.memory_log import MemoryLog, Stored

NOW = datetime(2026, 12, 1, 12, tzinfo=UTC)
SIGNER = Signer(b"secret")
LAYOUT = load_layout("catalogue")
CONFIRMED = "booking.booking.confirmed"


class View:
    """The endpoints that are known."""

    def __init__(self, *known: EndpointKnown) -> None:
        self.known = {each.endpoint_id: each for each in known}
        self.asked = 0

    def items(self) -> Iterator[tuple[str, EndpointKnown]]:
        yield from self.known.items()

    async def caught_up(self, timeout: float) -> None:  # noqa: ASYNC109
        self.asked += 1


class Group:
    """Finishes what was said of a batch."""

    def __init__(self) -> None:
        self.finished = 0

    async def finish(self, batches: list[Batch], said: list[Any]) -> None:
        for acknowledged in said:
            await acknowledged
        self.finished += len(batches)


class Reveals:
    """A keyring that shows a guest."""

    def reveal(self, user_id: str, sealed: str | None) -> Mapping[str, Any]:
        return {"email": "ada@example.com", "first_name": "Ada", "last_name": "Guest"} if sealed else {}

    def knows(self, user_id: str, sealed: str) -> bool:
        return True

    async def caught_up(self) -> None:
        return None


class World:
    """A log with news, and the intake that reads it."""

    def __init__(self, *known: EndpointKnown) -> None:
        self.log, self.group, self.view = MemoryLog(), Group(), View(*known)
        self.voice = Voice(self.log, LAYOUT, SIGNER, Reveals())
        self.listener = Listener(LAYOUT, SIGNER)
        group = cast("GroupApp", self.group)
        self.intake = HookIntake(group, LAYOUT, self.voice, self.listener, self.view)

    def say(self, event: Event) -> Envelope:
        envelope = caused_by(
            originate(event, source="test", now=NOW), event, index=0, now=NOW, source="booking-service"
        )
        self.voice.say(envelope)
        return envelope

    def records(self, topic: str) -> list[Stored]:
        return [record for (name, _), held in sorted(self.log.records.items()) if name == topic for record in held]

    async def read(self, topic: str = CONFIRMED) -> list[Envelope]:
        """The deliveries that were made of what stands on a topic."""
        for record in self.records(topic):
            await self.intake.apply([Batch(record.partition, [record], lambda: None)])
        return [decode(record.value) for record in self.records("vacancy.webhook.inbox")]


def known(endpoint_id: str = "w1", types: tuple[str, ...] = ("booking.*",), **more: Any) -> EndpointKnown:
    return EndpointKnown(endpoint_id=endpoint_id, types=types, **{"format": "standard", **more})


def confirmed() -> BookingConfirmed:
    line = Line(
        line=1, provider_id="P1", product_id="double", start=NOW, end=NOW, quantity=1, price_amount=Decimal("240.00")
    )
    about = About(price_amount=Decimal("240.00"), price_currency="EUR", guest="0badcafe.c2VhbGVk", lines=(line,))
    return BookingConfirmed(
        booking_id="b1",
        user_id="u1",
        product_id="double",
        payment_id="p1",
        confirmed_at=NOW,
        price_amount=Decimal("240.00"),
        price_currency="EUR",
        about=about,
    )


async def test_news_of_ours_becomes_a_delivery_for_each_endpoint_that_wants_it() -> None:
    world = World(
        known("w1"), known("w2", ("payment.*",)), known("w3", property_id="P1"), known("w4", property_id="P2")
    )
    said = world.say(confirmed())
    found = await world.read()
    assert sorted(each.data.endpoint_id for each in found if isinstance(each.data, Deliver)) == ["w1", "w3"]
    assert {each.causation_id for each in found} == {said.event_id}
    assert len({each.event_id for each in found}) == 2
    first = found[0].data
    assert isinstance(first, Deliver)
    body = orjson.loads(first.body)
    assert body.keys() == {"type", "timestamp", "data"}
    assert (body["type"], body["timestamp"]) == (CONFIRMED, "2026-12-01T12:00:00+00:00")
    assert (body["data"]["booking_id"], body["data"]["price_amount"]) == ("b1", 240.0)
    assert "about" not in body["data"]
    assert world.group.finished == 1


async def test_read_again_after_a_crash_it_says_the_same() -> None:
    world = World(known())
    world.say(confirmed())
    await world.read()
    first, second = await world.read()
    assert first == second


async def test_where_nobody_listens_nothing_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    world = World(known("w1", ("payment.*",)))
    world.say(confirmed())
    monkeypatch.setattr(world.listener, "hear", lambda record: pytest.fail("it was read"))
    assert await world.read() == []
    world.view.known.clear()
    assert await world.read() == []
    assert (world.group.finished, world.view.asked) == (2, 2)


async def test_what_others_say_is_not_sent_on() -> None:
    world = World(known())
    world.say(confirmed())
    (record,) = world.records(CONFIRMED)
    world.log.records.clear()
    world.log.append(CONFIRMED, record.partition, Record(record.key or b"", record.value))
    assert await world.read() == []


async def test_who_a_guest_is_stays_here_though_the_document_shows_it() -> None:
    world = World(known(types=("user.*",), format="cloudevents"))
    world.say(UserCreated(user_id="u1", personal="0badcafe.c2VhbGVk", created_at=NOW))
    (record,) = world.records("user.user.created")
    assert b"ada@example.com" in (record.value or b"")
    (delivery,) = await world.read("user.user.created")
    assert isinstance(delivery.data, Deliver)
    body = orjson.loads(delivery.data.body)
    assert (body["specversion"], body["data"].keys()) == ("1.0", {"user_id", "created_at"})
    assert "ada@example.com" not in delivery.data.body


@pytest.mark.parametrize("form", ["standard", "cloudevents"])
def test_what_people_wrote_stays_here_and_codes_go_out(form: Format) -> None:
    def data(event: Event) -> dict[str, Any]:
        found: dict[str, Any] = orjson.loads(body_of(originate(event, source="test", now=NOW), form))["data"]
        return found

    def cancelled(reason: str) -> BookingCancelled:
        return BookingCancelled(
            booking_id="b1",
            user_id="u1",
            product_id="double",
            payment_id="p1",
            cancelled_at=NOW,
            cancellation_reason=reason,
            refund_eligible=False,
            refund_amount=Decimal(0),
            refund_currency="EUR",
        )

    assert data(cancelled("guest_request"))["cancellation_reason"] == "guest_request"
    said = data(cancelled("Ada Guest is ill"))
    assert (said["cancellation_reason"], said["booking_id"]) == (None, "b1")
    created = BookingCreated(
        booking_id="b1",
        user_id="u1",
        product_id="double",
        provider_id="P1",
        start_time=NOW,
        end_time=NOW,
        quantity=1,
        price_amount=Decimal(1),
        price_currency="EUR",
        metadata={"note": "for Ada Guest"},
    )
    assert not {"metadata", "location"} & data(created).keys()


# --- attempts ---


class Seals:
    def __init__(self, *, erased: bool = False, behind: bool = False) -> None:
        self._erased, self._behind = erased, behind

    async def unseal(self, user_id: str, sealed: str) -> str | None:
        if self._behind:
            raise TimeoutError
        assert user_id == "webhook:w1"
        return None if self._erased else f"open {sealed}"


class Sender:
    def __init__(self) -> None:
        self.sent: list[Any] = []

    async def send(self, *asked: Any, **more: Any) -> Sent:
        self.sent.append((*asked, more["form"], more["secrets"]))
        return Sent(status=503, retry_after=7, response="busy", duration_ms=3)


def effect() -> Envelope:
    send = SendWebhook(
        endpoint_id="w1",
        delivery_id="d1",
        attempt=2,
        url="https://example.com/",
        format="standard",
        secrets=("s2", "s1"),
        event_id="e1",
        body="{}",
    )
    return originate(send, source="test", now=NOW)


async def attempt(sender: Sender, seals: Seals) -> DeliveryAnswered:
    result = await send_webhook(cast("HookSender", sender), cast("Keyring", seals), effect())
    assert isinstance(result.data, DeliveryAnswered)
    return result.data


async def test_an_attempt_is_answered_with_what_came_of_it() -> None:
    sender = Sender()
    answer = await attempt(sender, Seals())
    assert sender.sent == [("w1", "https://example.com/", "e1", "{}", "standard", ["open s2", "open s1"])]
    assert (answer.attempt, answer.status, answer.retry_after, answer.response) == (2, 503, 7, "busy")


async def test_without_its_secret_nothing_is_sent() -> None:
    sender = Sender()
    answer = await attempt(sender, Seals(erased=True))
    assert (sender.sent, answer.status, answer.error) == ([], None, "the endpoint's secret was erased")
    with pytest.raises(Unreachable):
        await attempt(sender, Seals(behind=True))


# --- the rows, and the clock ---


class Service:
    """The table on rows that are durable at once; decided anew it says the same."""

    def __init__(self, directory: Path) -> None:
        self.store = RowStore("webhook", 1, directory)
        self.store.open(0)
        self.store.ready(0)
        self.offset = 0

    def take(self, event: Event, now: datetime = NOW) -> list[Event]:
        partition, again = self.store.partition(0), list[Event]()
        message = originate(event, source="test", now=now)
        for _ in range(2):  # the first time the process is killed before anything is durable
            rows = WorkingRows(partition.local)
            before, again = again, list(Hooks().apply(rows, message, now, self.offset))
        assert before == again
        changed = {key: Row(each.payload, self.offset, self.offset) for key, each in rows.take_changes().items()}
        self.offset += 1
        partition.store(changed, self.offset)
        return again

    def tick(self, now: datetime) -> list[Event]:
        """What the clock says, which is decided."""
        ticks = due(self.store, 0, now)
        return [event for tick in ticks for event in self.take(tick, now)]

    def count(self, prefix: str) -> int:
        return len(list(self.store.scan(0, prefix)))


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    found = Service(tmp_path)
    found.take(AddEndpoint(endpoint_id="w1", url="https://x.example/", types=("*",), format="standard", secret="s"))
    yield found
    found.store.close()


def deliver(number: int = 1, at: datetime = NOW) -> Deliver:
    return Deliver(endpoint_id="w1", event_id=f"e{number}", news=CONFIRMED, at=at, body="{}")


def answered(sent: Event, status: int) -> DeliveryAnswered:
    assert isinstance(sent, SendWebhook)
    return DeliveryAnswered(
        endpoint_id="w1", delivery_id=sent.delivery_id, effect_id="f", attempt=sent.attempt, status=status
    )


def test_an_attempt_is_only_left_out_once_its_answer_is_in_the_row(service: Service) -> None:
    partition = service.store.partition(0)
    early = Hooks().apply(WorkingRows(partition.local), originate(deliver(), source="test", now=NOW), NOW, 1)
    (sent,) = early
    asked = originate(sent, source="test", now=NOW)
    assert not already_answered(service.store, asked)  # it was read before its row was durable
    service.take(deliver())
    assert not already_answered(service.store, asked)
    service.take(answered(sent, 500))
    assert already_answered(service.store, asked)
    (again,) = service.tick(NOW + timedelta(minutes=1))
    assert already_answered(service.store, asked)
    assert not already_answered(service.store, originate(again, source="test", now=NOW))
    service.store.withdraw()
    assert not already_answered(service.store, asked)


def test_an_event_is_delivered_once_however_often_it_comes(service: Service) -> None:
    assert len(service.take(deliver())) == 1
    assert service.take(deliver()) == []
    assert service.count("w|") == 1


def test_a_failed_attempt_comes_again_by_the_clock(service: Service) -> None:
    (sent,) = service.take(deliver())
    service.take(answered(sent, 500))
    assert service.tick(NOW + timedelta(seconds=4)) == []
    (again,) = service.tick(NOW + timedelta(seconds=7))
    assert isinstance(again, SendWebhook)
    assert again.attempt == 2
    assert service.tick(NOW + timedelta(hours=1)) == []  # its answer is awaited
    service.take(answered(again, 200))
    assert (service.count("d|"), service.tick(NOW + timedelta(days=1))) == (0, [])


def test_an_entry_of_the_index_that_came_back_goes(service: Service) -> None:
    (sent,) = service.take(deliver())
    service.take(answered(sent, 500))
    (tick,) = due(service.store, 0, NOW + timedelta(seconds=7))
    assert isinstance(tick, DeliveryDue)
    stale = msgspec.structs.replace(tick, due=tick.due + timedelta(seconds=1))
    assert service.take(stale) == []
    assert service.count("d|") == 1


def test_what_a_paused_endpoint_missed_is_sent_anew(service: Service) -> None:
    service.take(ChangeEndpoint(endpoint_id="w1", enabled=False))
    assert service.take(deliver(1)) == []
    service.take(ChangeEndpoint(endpoint_id="w1", enabled=True))
    (sent,) = service.take(deliver(2))
    service.take(ChangeEndpoint(endpoint_id="w1", enabled=False))
    service.take(answered(sent, 500))
    row = read(service.store, "w1", cast("SendWebhook", sent).delivery_id)
    assert row is not None
    assert row.status == "HELD"
    service.take(ChangeEndpoint(endpoint_id="w1", enabled=True, redeliver_since=NOW))
    assert [type(each) for each in due(service.store, 0, NOW)] == [Redeliver]
    service.tick(NOW)
    (again,) = service.tick(NOW + timedelta(seconds=1))
    assert isinstance(again, SendWebhook)
    assert again.event_id == "e2"
    assert due(service.store, 0, NOW + timedelta(seconds=2)) == []


def test_an_endpoint_that_pauses_again_is_not_asked_to_begin_anew_for_ever(service: Service) -> None:
    service.take(deliver(1))
    service.take(ChangeEndpoint(endpoint_id="w1", enabled=True, redeliver_since=NOW))
    service.take(ChangeEndpoint(endpoint_id="w1", enabled=False))
    stuck = msgspec.structs.replace(next(endpoints(service.store, 0)), redeliver_since=NOW)
    partition = service.store.partition(0)
    rows = WorkingRows(partition.local)
    rows.put(endpoint_row("w1"), stuck)
    partition.store({key: Row(each.payload, 9, 9) for key, each in rows.take_changes().items()}, 9)
    assert due(service.store, 0, NOW) == []


def test_of_many_that_wait_so_many_are_ordered_as_may_be_under_way(service: Service) -> None:
    sent = [event for number in range(MOST_UNDER_WAY + 5) for event in service.take(deliver(number))]
    new = MOST_UNDER_WAY // 2  # the rest of the room is for those that were there before
    assert (len(sent), service.count("d|")) == (new, new + 5)
    assert len(service.tick(NOW)) == MOST_UNDER_WAY - new
    assert service.count("d|") == 5
    assert due(service.store, 0, NOW + timedelta(hours=1)) == []
    for each in sent[:3]:
        service.take(answered(each, 200))
    assert len(service.tick(NOW)) == 3
    assert load(service.store, 0, "w1").awaited == MOST_UNDER_WAY


def test_of_ended_ones_the_last_are_kept_and_none_that_waits_is_forgotten(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tables.hook_rows.MOST_KEPT", 2)
    sent = [event for number in range(1, 6) for event in service.take(deliver(number))]
    for each in sent[1:4]:
        service.take(answered(each, 200))
    assert [each.event_id for each in deliveries(service.store, 0, "w1")] == ["e1", "e3", "e4", "e5"]
    again = cast("SendWebhook", sent[2]).delivery_id
    service.take(Redeliver(endpoint_id="w1", deliveries=(again,)))
    assert load(service.store, 0, "w1").ended == 2  # it was delivered, and nobody asked for it in person
    service.take(Redeliver(endpoint_id="w1", deliveries=(again,), anyway=True))
    assert (load(service.store, 0, "w1").ended, service.count("o|")) == (1, 1)
    (resent,) = service.tick(NOW)
    service.take(answered(resent, 200))
    service.take(answered(sent[4], 200))
    assert [each.event_id for each in deliveries(service.store, 0, "w1")] == ["e1", "e3", "e5"]
    late = NOW + timedelta(days=30)
    service.tick(late)
    assert [each.event_id for each in deliveries(service.store, 0, "w1")] == ["e1"]
    left = load(service.store, 0, "w1")
    assert (left.total, left.pending, left.awaited) == (1, 1, 1)


def test_what_is_too_much_pauses_is_held_and_counted(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("domain.hook_deliveries.MOST_WAITING", 2)
    monkeypatch.setattr("domain.hook_deliveries.MOST_HELD", 3)
    service.take(deliver(1))
    (sent,) = service.take(deliver(2))
    service.take(answered(sent, 500))
    assert [type(each) for each in service.take(deliver(3))] == [EndpointKnown, EndpointPaused]
    service.tick(NOW)  # the one that was planned is held at once
    for number in (4, 5, 6):
        service.take(deliver(number))
    (row,) = endpoints(service.store, 0)
    assert (row.missed, row.reason) == (2, "too_much_waiting")
    assert (load(service.store, 0, "w1").held, service.count("d|")) == (3, 0)


def test_a_removed_endpoint_is_forgotten_once_nothing_is_left_of_it(service: Service) -> None:
    service.take(deliver(1))
    service.take(RemoveEndpoint(endpoint_id="w1"))
    service.tick(NOW)
    assert (service.count("w|"), service.count("e|")) == (0, 1)
    assert service.tick(NOW + timedelta(hours=23)) == []
    service.tick(NOW + timedelta(hours=25))
    assert {prefix: service.count(prefix) for prefix in ("e|", "w|", "d|", "o|", "n|")} == dict.fromkeys(
        ("e|", "w|", "d|", "o|", "n|"), 0
    )


def test_old_deliveries_and_those_of_removed_endpoints_are_forgotten(service: Service) -> None:
    (sent,) = service.take(deliver(1))
    service.take(answered(sent, 200))
    (later,) = service.take(deliver(2), NOW + timedelta(days=1))
    service.take(answered(later, 200), NOW + timedelta(days=1))
    late = NOW + timedelta(days=7, seconds=1)
    assert [each for each in due(service.store, 0, late) if isinstance(each, ForgetDeliveries)]
    service.tick(late)
    assert (service.count(deliveries_prefix("w1")), service.count("d|")) == (1, 0)
    service.take(RemoveEndpoint(endpoint_id="w1"), late)
    service.tick(late)
    assert service.count("w|") == 0
    assert service.take(deliver(3, late), late) == []


def test_messages_for_an_endpoint_that_never_was_change_nothing(service: Service) -> None:
    for event in (
        msgspec.structs.replace(deliver(), endpoint_id="w9"),
        Redeliver(endpoint_id="w9", deliveries=("d1",)),
        DeliveryDue(endpoint_id="w9", delivery_id="d1", due=NOW),
        ForgetDeliveries(endpoint_id="w9", deliveries=("d1",)),
    ):
        assert service.take(event) == []
    assert {prefix: service.count(prefix) for prefix in ("e|", "w|", "d|", "n|")} == {
        "e|": 1,
        "w|": 0,
        "d|": 0,
        "n|": 0,
    }
