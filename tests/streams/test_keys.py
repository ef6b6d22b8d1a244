"""Keys and partitioners: Kafka's own hash against its test vectors, and both of the hotel document's tables (C5)."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.events import Event
from streams.events.about import About, Line
from streams.events.analytics import AnalyticsTracked
from streams.events.availability import NightUpdated
from streams.events.booking_news import BookingCheckedIn
from streams.events.control import NumbersLeased, UserKeyAdded, WorkerOwns
from streams.events.payment_news import PaymentSettled
from streams.keys import KEYS, PARTITIONERS, last_digit, modulo_list, partition_of, resource_key

NOW = datetime(2025, 10, 6, tzinfo=UTC)
KEY = st.text(st.characters(codec="utf-8"), min_size=1, max_size=100)
PROPERTIES = [f"PROP-{number:03}" for number in range(1, 13)]

#: HTL-35, the list under each partition of the drawing.
LISTED = {
    0: ["PROP-001", "PROP-004", "PROP-007", "PROP-010"],
    1: ["PROP-002", "PROP-005", "PROP-008", "PROP-011"],
    2: ["PROP-003", "PROP-006", "PROP-009", "PROP-012"],
}
#: HTL-35, the text above it: the last digits of each partition.
ENDING = {0: "0369", 1: "147", 2: "258"}

#: From the tests of Kafka's own client (org.apache.kafka.common.utils.UtilsTest): key and hash.
VECTORS = [
    ("21", -973932308),
    ("foobar", -790332482),
    ("a-little-bit-long-string", -985981536),
    ("a-little-bit-longer-string", -1486304829),
    ("lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", -58897971),
    ("abc", 479470107),
]


@pytest.mark.proves("CAT-24", "HTL-35")
@pytest.mark.parametrize(("key", "hashed"), VECTORS)
@pytest.mark.parametrize("partitions", [1, 3, 4, 20])
def test_a_key_goes_where_kafkas_own_clients_send_it(key: str, hashed: int, partitions: int) -> None:
    assert partition_of(key, partitions) == (hashed & 0x7FFFFFFF) % partitions


@pytest.mark.proves("HTL-35")
@pytest.mark.parametrize(("partition", "listed"), LISTED.items())
def test_the_documents_list(partition: int, listed: list[str]) -> None:
    assert [name for name in PROPERTIES if modulo_list(name, 3) == partition] == listed


@pytest.mark.proves("HTL-35")
@pytest.mark.parametrize(("partition", "digits"), ENDING.items())
def test_the_documents_text(partition: int, digits: str) -> None:
    names = [f"PROP-{number:03}" for number in range(1000)]
    assert [name for name in names if last_digit(name, 3) == partition] == [
        name for name in names if name[-1] in digits
    ]


@pytest.mark.proves("HTL-35")
def test_list_and_text_contradict_each_other() -> None:
    """C5: of the twelve that the document names, three lie in the same partition by both."""
    assert [name for name in PROPERTIES if modulo_list(name, 3) == last_digit(name, 3)] == [
        "PROP-010",
        "PROP-011",
        "PROP-012",
    ]


@pytest.mark.proves("HTL-35")
def test_how_evenly_they_lie() -> None:
    """C5: twelve properties are 4 : 4 : 4 by the list and 5 : 5 : 2 by murmur2; ten endings are 4 : 3 : 3."""

    def loads(partitioner: str, names: list[str]) -> list[int]:
        counted = Counter(PARTITIONERS[partitioner](name, 3) for name in names)
        return [counted[partition] for partition in range(3)]

    assert loads("modulo-list", PROPERTIES) == [4, 4, 4]
    assert sorted(loads("murmur2", PROPERTIES), reverse=True) == [5, 5, 2]
    assert loads("last-digit", [f"PROP-{number}" for number in range(10)]) == [4, 3, 3]


@pytest.mark.proves("HTL-35")
@pytest.mark.parametrize("partitioner", [modulo_list, last_digit])
@given(key=KEY.filter(lambda key: not any(each.isdigit() for each in key)), partitions=st.integers(1, 20))
def test_a_key_without_a_number_goes_where_murmur2_sends_it(partitioner: object, key: str, partitions: int) -> None:
    assert callable(partitioner)
    assert partitioner(key, partitions) == partition_of(key, partitions)


@pytest.mark.proves("HTL-35")
@pytest.mark.parametrize(("key", "number"), [("PROP-012", 12), ("7", 7), ("PROP-7-annex", 7), ("2nd-street-40b", 40)])
def test_the_last_number_of_a_key_counts(key: str, number: int) -> None:
    assert modulo_list(key, 3) == (number - 1) % 3
    assert last_digit(key, 3) == number % 10 % 3


@pytest.mark.proves("HTL-11", "HTL-35")
@pytest.mark.parametrize("name", PARTITIONERS)
@given(key=KEY, partitions=st.integers(1, 20))
def test_every_key_has_one_partition(name: str, key: str, partitions: int) -> None:
    found = PARTITIONERS[name](key, partitions)
    assert found in range(partitions)
    assert found == PARTITIONERS[name](key, partitions)


@pytest.mark.proves("CAT-24")
@given(one=st.tuples(KEY, KEY), other=st.tuples(KEY, KEY))
def test_two_resources_never_share_a_key(one: tuple[str, str], other: tuple[str, str]) -> None:
    assert (resource_key(*one) == resource_key(*other)) == (one == other)
    assert resource_key("a/b", "c") != resource_key("a", "b/c")


def about(*providers: str) -> About:
    lines = tuple(
        Line(
            line=number,
            provider_id=provider,
            product_id="double",
            start=NOW,
            end=NOW + timedelta(1),
            quantity=1,
            price_amount=Decimal(1),
        )
        for number, provider in enumerate(providers, start=1)
    )
    return About(lines=lines, price_amount=Decimal(1), price_currency="EUR")


def checked_in(found: About | None) -> Event:
    return BookingCheckedIn(booking_id="b", user_id="u", product_id="double", about=found, checked_in_at=NOW)


def settled(found: About | None) -> Event:
    return PaymentSettled(
        payment_id="p",
        booking_id="b",
        user_id="u",
        about=found,
        amount=Decimal(1),
        currency="EUR",
        provider="sandbox",
        settlement_id="s",
        settled_at=NOW,
    )


NIGHT = NightUpdated(
    provider_id="PROP-1", product_id="double", slot="2025-10-06", capacity=1, held=0, free=1, updated_at=NOW
)


def tracked(provider: str | None) -> Event:
    return AnalyticsTracked(tracked_id="t", name="x", entity_id="e", provider_id=provider, tracked_at=NOW)


@pytest.mark.proves("CAT-24", "HTL-35")
@pytest.mark.parametrize(
    ("key", "event", "found"),
    [
        ("property_id", NIGHT, "PROP-1"),
        ("property_id", checked_in(about("PROP-2", "PROP-3")), "PROP-2"),
        ("property_id", settled(about("PROP-2")), "PROP-2"),
        # What concerns no property lies under what it concerns.
        ("property_id", checked_in(about()), "b"),
        ("property_id", settled(None), "b"),
        ("property_id", tracked("PROP-4"), "PROP-4"),
        ("property_id", tracked(None), "e"),
        ("booking_id", settled(None), "b"),
        ("payment_id", settled(None), "p"),
        ("user_id", settled(None), "u"),
        ("entity_id", tracked(None), "e"),
        ("aggregate", settled(None), "b"),
        ("aggregate", NIGHT, "PROP-1/double"),
        ("resource", NIGHT, "PROP-1/double"),
        ("gateway", NumbersLeased(gateway="g"), "g"),
        ("user_id/key_id", UserKeyAdded(user_id="u", key_id="k", wrapped="w"), "u/k"),
        ("service/partition", WorkerOwns(service="s", partition=2, url="", worker="w", since=NOW), "s/2"),
    ],
)
def test_a_key_is_what_the_message_is_about(key: str, event: Event, found: str) -> None:
    assert KEYS[key](event) == found
