"""The auditor's own reading of the documents says what the platform's voice meant, and its tables name their topics."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cli.audit import names
from cli.audit.dialect import Dialect, is_ours
from cli.audit.dialects import CAMPSITE, CLINIC, DIALECTS, HOTEL, ORDERS
from cli.audit.news import NEWS
from cli.audit.wire import Record
from config.settings import layouts
from streams.codec import jsonable
from streams.events import Envelope
from streams.layout import load_layout
from streams.publisher import Publisher
from streams.publisher import Record as Written
from streams.signing import Signer
from streams.voice import Reveals, Voice
from streams.wire import codec_of
from streams.wire.reading import read as heard
from tests.cli.audit.tongues import speak, topic_of
from tests.memory_log import Stored
from tests.streams.wire_cases import envelopes, reveal

_ENTRY = ("entry_id", "provider_id", "product_id")
#: What the auditor judges by, of each piece of news.
JUDGED = {
    "user.user.erased": ("user_id",),
    names.CANCELLED: ("booking_id", "refund_amount", "cancellation_reason"),
    names.UPDATED: ("booking_id", "price_amount", "revision"),
    names.PAYMENT_CREATED: ("payment_id",),
    "waitlist.entry.offered": (*_ENTRY, "start_time", "end_time", "quantity"),
    "waitlist.entry.accepted": _ENTRY,
    "waitlist.entry.expired": _ENTRY,
    "waitlist.entry.withdrawn": _ENTRY,
}


class Platform:
    """A platform's own voice: what it says is a record, signed and in the words of its layout."""

    def __init__(self, name: str) -> None:
        self.layout = load_layout(name)
        self.kinds = [model for topic in self.layout.public for model in topic.carries]
        self._said: list[Record] = []
        self._voice = Voice(cast("Publisher", self), self.layout, Signer(b"secret"), cast("Reveals", self))

    def say(self, envelope: Envelope) -> Record:
        self._voice.say(envelope)
        return self._said.pop()

    def send(self, topic: str, partition: int, record: Written) -> None:
        self._said.append(Record(topic, partition, 7, 1, record.key, record.value, tuple(record.headers)))

    def reveal(self, user_id: str, sealed: str | None) -> Mapping[str, Any]:
        return reveal(user_id, sealed)

    def hear(self, record: Stored) -> Envelope:
        return heard(codec_of(self.layout.codec), self.layout, record)


PLATFORMS = {name: Platform(name) for name in layouts()}


def test_every_layout_has_a_dialect() -> None:
    assert set(DIALECTS) == set(layouts())


@pytest.mark.parametrize("name", sorted(DIALECTS))
def test_the_tables_name_the_layout_s_topics_types_and_gate(name: str) -> None:
    layout, dialect = load_layout(name), DIALECTS[name]

    carried = {topic: {kind for likely in kinds.values() for kind in likely} for topic, kinds in dialect.topics.items()}
    assert carried == {topic.name: {model.event_type for model in topic.carries} for topic in layout.topics.values()}
    assert dialect.gate == layout.group("gate")
    assert dialect.weak == (layout.profile is not None)


def _reads_what_was_meant(name: str, envelope: Envelope) -> None:
    letter = DIALECTS[name].read(PLATFORMS[name].say(envelope), "a place")

    assert letter is not None
    meant = envelope.event_id, envelope.event_type, envelope.causation_id
    assert (letter.event_id, letter.event_type, letter.cause) == meant
    if envelope.event_type in NEWS:
        data = jsonable(envelope.data)
        fields = JUDGED.get(envelope.event_type, ("booking_id",))
        assert {field: letter.data[field] for field in fields} == {field: data[field] for field in fields}


@pytest.mark.parametrize("name", sorted(DIALECTS))
@settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_what_the_platform_says_is_read_as_it_was_meant(name: str, data: st.DataObject) -> None:
    judged = [model for model in PLATFORMS[name].kinds if model.event_type in NEWS]
    _reads_what_was_meant(name, data.draw(envelopes(*judged)))


@pytest.mark.parametrize("name", sorted(DIALECTS))
@settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_so_is_all_other_news(name: str, data: st.DataObject) -> None:
    others = [model for model in PLATFORMS[name].kinds if model.event_type not in NEWS]
    _reads_what_was_meant(name, data.draw(envelopes(*others)))


@pytest.mark.parametrize("dialect", DIALECTS.values(), ids=list(DIALECTS))
def test_a_document_that_contradicts_what_stands_beside_it_says_nothing(dialect: Dialect) -> None:
    topic, value, headers = speak(dialect, names.CREATED, "id", None, {"booking_id": "b"})
    another = next(kinds for name, kinds in dialect.topics.items() if name != topic)
    (other, *_), *_ = another.values()
    _, _, beside = speak(dialect, other, "id", None, {})

    if dialect.kind_of is None:
        value = value.replace(names.CREATED.encode(), other.encode())
    assert dialect.read(Record(topic, 0, 0, 0, None, value, headers if dialect.kind_of is None else beside), "") is None


@pytest.mark.parametrize(
    ("dialect", "topic", "value", "kind"),
    [
        (CAMPSITE, "booking-events", b'{"EventType": "BookingCreatedEvent", "EventId": "e"}', names.CREATED),
        (CAMPSITE, "payment-events", b'{"EventType": "RefundProcessed"}', "payment.payment.refunded"),
        (ORDERS, "order_created", b"{}", names.CREATED),
        (HOTEL, "reservation.cancelled", b'{"eventType": "reservation.cancelled"}', names.CANCELLED),
        (CLINIC, "appointment-events", b'{"action": "created", "status": "confirmed"}', names.CREATED),
        (CLINIC, "appointment-events", b'{"action": "updated", "status": "confirmed"}', names.CONFIRMED),
        (CLINIC, "appointment-events", b'{"action": "updated"}', names.UPDATED),
        (CLINIC, "appointment-events", b'{"action": "deleted", "status": "scheduled"}', names.CANCELLED),
        (CLINIC, "prescription-events", b'{"action": "deleted"}', "record.prescription.cancelled"),
        (CLINIC, "order-events", b'{"action": "shipped", "status": "cancelled"}', "record.order.shipped"),
    ],
)
def test_another_program_is_taken_at_its_word(dialect: Dialect, topic: str, value: bytes, kind: str) -> None:
    record = Record(topic, 1, 2, 0, None, value)

    letter = dialect.read(record, f"{topic}/1/2")

    assert letter is not None
    assert letter.event_type == kind
    assert not is_ours(record)


def test_a_message_without_an_id_is_called_after_its_place_as_the_platform_does() -> None:
    item = {"product_id": "p", "quantity": 1, "price": 1}
    order = orjson.dumps({"order_id": "o", "customer": {"email": "a@b.c"}, "items": [item]})

    meant = PLATFORMS["orders"].hear(Stored("order_created", 1, 2, 0, None, order, ()))
    letter = ORDERS.read(Record("order_created", 1, 2, 0, None, order), "order_created/1/2")

    assert letter is not None
    assert letter.event_id == meant.event_id


@pytest.mark.parametrize(
    ("dialect", "topic", "value", "headers"),
    [
        (CAMPSITE, "booking-events", b"\x00", ()),
        (CAMPSITE, "booking-events", None, ()),
        (CAMPSITE, "booking-events", b"[]", ()),
        (CAMPSITE, "booking-events", b'{"EventType": "BookingLost"}', ()),
        (CAMPSITE, "user-events", b'{"EventType": "BookingCreated"}', ()),
        (ORDERS, "order_created", b"{}", (("vacancy-rest", b"not JSON"),)),
        (ORDERS, "order_created", b"{}", (("vacancy-rest", b'{"_": 5}'),)),
        (HOTEL, "reservation.created", b"{}", ()),
        (CLINIC, "order-events", b'{"action": "cancelled"}', ()),
    ],
)
def test_what_is_no_message_says_nothing(
    dialect: Dialect, topic: str, value: bytes | None, headers: tuple[tuple[str, bytes], ...]
) -> None:
    assert dialect.read(Record(topic, 0, 0, 0, None, value, headers), "") is None


def test_what_a_document_has_a_topic_for_says_nothing_elsewhere() -> None:
    _, value, _ = speak(CAMPSITE, names.REJECTED, "id", None, {"booking_id": "b"})

    assert topic_of(CAMPSITE, names.REJECTED) == names.EVENTS
    assert CAMPSITE.read(Record(names.EVENTS, 0, 0, 0, None, value), "") is not None
    confirmed = value.replace(names.REJECTED.encode(), names.CONFIRMED.encode())
    assert CAMPSITE.read(Record(names.EVENTS, 0, 0, 0, None, confirmed), "") is None
