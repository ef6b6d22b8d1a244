"""What the linter complains of, each from a layout that holds but for one thing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from config.settings import layouts
from domain.analytics import observation_of
from streams.envelope import originate
from streams.events import EVENT_TYPES
from streams.events.analytics import AnalyticsTracked
from streams.events.booking_news import BookingCheckedIn
from streams.layout import Group, Layout, load_layout
from streams.lint import lint
from streams.services import SERVICES
from streams.topics import Topic

NOW = datetime(2025, 10, 6, tzinfo=UTC)
CATALOGUE, HOTEL, CLINIC = (load_layout(name) for name in ("catalogue", "hotel", "clinic"))


def reading(layout: Layout, service: str, *topics: str) -> Layout:
    """The layout with more topics read by a service's group."""
    known = layout.groups.get(service, Group(f"vacancy-{service}", service))
    group = replace(known, subscribes=(*known.subscribes, *topics))
    return replace(layout, groups={**layout.groups, service: group})


@pytest.mark.proves("CAMP-05", "CAT-02", "CLN-22", "HTL-08", "ORD-07")
@pytest.mark.parametrize("name", layouts())
def test_every_layout_holds(name: str) -> None:
    assert lint(load_layout(name)) == []


@pytest.mark.proves("CAMP-05", "CAT-02", "CLN-22", "HTL-08", "ORD-07")
def test_there_are_five() -> None:
    assert layouts() == ("campsite", "catalogue", "clinic", "hotel", "orders")


@pytest.mark.proves("CAT-01")
def test_colliding_names_are_found() -> None:
    """C1: `.` and `_` are the same in Kafka's metric names."""
    colliding = Topic("booking_booking_created", 1, (), "booking_id")
    [problem] = lint(replace(CATALOGUE, topics={**CATALOGUE.topics, colliding.name: colliding}))
    assert problem == ("catalogue: booking.booking.created and booking_booking_created collide in Kafka's metric names")


@pytest.mark.proves("CAT-01")
def test_a_type_on_two_topics_is_found() -> None:
    twice = Topic("again", 1, (EVENT_TYPES["booking.booking.created"],), "booking_id")
    assert lint(replace(CATALOGUE, topics={**CATALOGUE.topics, "again": twice})) == [
        "catalogue: booking.booking.created is on booking.booking.created too"
    ]


class Mute(Layout):
    """A layout that forgets where some news go."""

    def route_table(self) -> Mapping[str, Topic]:
        table = super().route_table()
        return {kind: topic for kind, topic in table.items() if topic.name != "vacancy.events"}


@pytest.mark.proves("CAT-02")
def test_news_without_a_topic_are_found() -> None:
    mute = Mute(**{name: getattr(CATALOGUE, name) for name in CATALOGUE.__dataclass_fields__})
    problems = lint(mute)
    assert "catalogue: payment.payment.settled has no topic" in problems
    assert len(problems) == len(CATALOGUE.events.carries)


@pytest.mark.proves("CLN-22")
def test_services_that_do_not_run_need_no_inbox() -> None:
    assert "receipt" not in CLINIC.running
    assert {model.event_type for model in SERVICES["receipt"].accepts}.isdisjoint(CLINIC.route_table())


@pytest.mark.proves("CAT-26")
def test_a_group_of_an_unknown_service_is_found() -> None:
    groups = {**CATALOGUE.groups, "billing": Group("billing-group", "billing")}
    assert lint(replace(CATALOGUE, groups=groups)) == [
        "catalogue: the group billing-group serves 'billing', which is none of ours"
    ]


@pytest.mark.proves("CAT-02", "CAT-37")
def test_a_consumer_of_the_table_without_a_group_is_found() -> None:
    """C15: where there is a group the layout takes the union; where there is none, nobody would read it."""
    groups = {name: group for name, group in CATALOGUE.groups.items() if name != "receipt"}
    assert lint(replace(CATALOGUE, groups=groups)) == [
        f"catalogue: the table lists receipt as a consumer of {topic}, and no group of it does"
        for topic in ("booking.booking.confirmed", "payment.payment.succeeded")
    ]


@pytest.mark.proves("CAMP-09", "CAT-27")
def test_a_notice_of_what_nobody_reads_is_found() -> None:
    notices = {"mail": {"rate.rate.updated": "cheaper"}}
    assert lint(replace(CATALOGUE, notices=notices)) == [
        "catalogue: notices.mail tells of rate.rate.updated, which no group that tells reads"
    ]


@pytest.mark.proves("CAT-29", "HTL-12")
@pytest.mark.parametrize(
    ("layout", "service", "topic", "kind"),
    [
        (CATALOGUE, "analytics", "analytics.event.tracked", "analytics.event.tracked"),
        (CATALOGUE, "notification", "notification.email.sent", "notification.email.sent"),
        (CATALOGUE, "receipt", "receipt.receipt.generated", "receipt.receipt.generated"),
        (CATALOGUE, "rate", "rate.rate.applied", "rate.rate.applied"),
        (CATALOGUE, "booking", "booking.booking.confirmed", "booking.booking.confirmed"),
        (CATALOGUE, "payment", "payment.payment.failed", "payment.payment.failed"),
        (HOTEL, "availability", "availability.updated", "availability.night.updated"),
        (HOTEL, "analytics", "analytics.reservation", "analytics.event.tracked"),
    ],
)
def test_a_group_that_reads_what_it_says_is_found(layout: Layout, service: str, topic: str, kind: str) -> None:
    """C14."""
    [problem] = lint(reading(layout, service, topic))
    group = layout.group(service)
    assert problem == f"{layout.name}: the group {group} reads what it says, {kind} on {topic}"


@pytest.mark.proves("CAT-29", "HTL-25")
def test_services_that_feed_each_other_are_found() -> None:
    """C14: rates follow availability; were availability to follow rates, neither would come to rest."""
    [problem] = lint(reading(HOTEL, "availability", "rate.updated"))
    assert problem in {
        "hotel: availability -> rate -> availability feed each other without an end",
        "hotel: rate -> availability -> rate feed each other without an end",
    }


@pytest.mark.proves("HTL-12", "HTL-24")
@pytest.mark.parametrize(
    ("layout", "service", "topic"),
    [
        # It carries analytics.event.tracked there, which analytics does not observe.
        (CLINIC, "analytics", "vacancy.events"),
        # An exchange of two that ends with the booking.
        (HOTEL, "booking", "payment.failed"),
        (HOTEL, "payment", "reservation.confirmed"),
    ],
)
def test_what_comes_to_rest_is_none(layout: Layout, service: str, topic: str) -> None:
    assert lint(reading(layout, service, topic)) == []


@pytest.mark.proves("CAT-29", "HTL-12")
def test_analytics_observes_no_analytics() -> None:
    """What the linter relies on where analytics reads `vacancy.events`."""
    tracked = AnalyticsTracked(tracked_id="t", name="x", entity_id="b", tracked_at=NOW)
    other = BookingCheckedIn(booking_id="b", user_id="u", product_id="double", checked_in_at=NOW)
    observed = [observation_of(originate(event, source="test", now=NOW)) for event in (tracked, other)]
    assert [len(each) for each in observed] == [0, 1]


@pytest.mark.proves("CLN-17", "ORD-05")
@pytest.mark.parametrize("kind", ["notification.email.sent", "notification.sms.sent"])
def test_a_notice_of_a_notice_is_found(kind: str) -> None:
    """Read on `vacancy.events` there: it would tell of itself for ever (C14)."""
    assert lint(replace(CLINIC, notices={"app": {kind: "sent"}})) == [
        f"clinic: notices.app tells of {kind}, which is said of every notice itself"
    ]
