"""Layouts as such: names in a namespace, settings over the file, what a file may not say, and our own topics."""

from __future__ import annotations

import re
import tomllib
from importlib import resources

import pytest

from config.settings import Settings, layouts
from streams.events import EVENT_TYPES
from streams.events.booking_news import BookingCreated, BookingNews
from streams.events.control import InstanceNamed, NumbersLeased
from streams.events.payment_news import PaymentNews
from streams.events.records import RecordNews
from streams.layout import Layout, LayoutError, load_layout, make_layout
from streams.layout_file import parse_layout, read_layout
from streams.services import SERVICES, STATELESS
from streams.topics import DAY_MS

CATALOGUE = (resources.files("config.layouts") / "catalogue.toml").read_text(encoding="utf-8")

#: What other programs may read, and what stays inside: news are public whatever document is in force.
NEWS = {kind for kind, model in EVENT_TYPES.items() if issubclass(model, BookingNews | PaymentNews | RecordNews)}


def made(text: str, namespace: str = "") -> Layout:
    return make_layout("test", parse_layout("test", text), namespace)


@pytest.mark.proves("CAT-02", "HTL-08", "CAMP-05", "ORD-07", "CLN-22")
@pytest.mark.parametrize("name", layouts())
def test_every_piece_of_news_has_one_public_topic(name: str) -> None:
    layout = load_layout(name)
    public = [model.event_type for topic in layout.public for model in topic.carries]
    assert len(public) == len(set(public))
    assert set(public) >= NEWS
    internal = {model.event_type for service in SERVICES.values() for model in (*service.accepts, *service.effects)}
    assert internal.isdisjoint(public)


@pytest.mark.proves("CAT-25", "HTL-38")
@pytest.mark.parametrize("name", layouts())
def test_what_stays_inside_is_named_vacancy(name: str) -> None:
    layout = load_layout(name)
    inside = [topic.name for topic in layout.all_topics if topic.name.removesuffix(".dlq") not in layout.topics]
    assert all(each.startswith("vacancy.") for each in inside)
    assert layout.events.name == "vacancy.events"
    assert (layout.events.key, layout.events.retention_ms) == ("aggregate", 7 * DAY_MS)


@pytest.mark.proves("CAT-25")
@pytest.mark.parametrize("name", layouts())
def test_the_inboxes_are_kept_and_take_the_logs_own_time(name: str) -> None:
    layout = load_layout(name)
    topics = {topic.name: topic for topic in layout.all_topics}
    for service in (layout.services[each] for each in layout.running if each in SERVICES):
        inbox, rows = topics[service.inbox], topics[service.rows]
        assert inbox.config() == {"retention.ms": "-1", "message.timestamp.type": "LogAppendTime"}
        assert rows.config()["cleanup.policy"] == "compact"
        assert int(rows.config()["min.compaction.lag.ms"]) >= DAY_MS
        assert int(rows.config()["max.message.bytes"]) == 4 * 1024 * 1024
        assert inbox.partitions == rows.partitions == layout.partitions


@pytest.mark.proves("CAT-26", "CLN-17", "HTL-11")
@pytest.mark.parametrize("name", layouts())
def test_the_core_always_runs_and_the_rest_where_it_has_a_group(name: str) -> None:
    layout = load_layout(name)
    core = {"booking", "availability", "payment", "user", "record", "gate"}
    assert set(layout.running) == core | set(layout.groups)
    assert list(layout.running) == [each for each in (*SERVICES, *STATELESS) if each in layout.running]


@pytest.mark.proves("CAT-26", "HTL-30")
def test_a_group_no_document_names_is_vacancy_and_its_service() -> None:
    assert load_layout("hotel").group("user") == "vacancy-user"
    assert load_layout("hotel").subscriptions("user") == ()
    assert load_layout("catalogue").group(SERVICES["payment"]) == "payment-service-group"


@pytest.mark.proves("CAT-02", "HTL-08")
@pytest.mark.parametrize("name", layouts())
def test_two_instances_of_different_names_share_nothing(name: str) -> None:
    plain, named = load_layout(name), load_layout(Settings(layout=name, namespace="blue"))
    assert {topic.name for topic in named.all_topics}.isdisjoint(topic.name for topic in plain.all_topics)
    assert {named.group(each) for each in named.running}.isdisjoint(plain.group(each) for each in plain.running)
    for topic in named.topics.values():
        assert topic.name.startswith("blue.")
        assert topic.names == plain.topics[topic.name.removeprefix("blue.")].names
    internal = {each.name for each in named.all_topics} - {each.name for each in named.topics.values()}
    assert all(each.startswith(("vacancy.blue.", "blue.")) for each in internal)
    for service in named.groups:
        assert [topic.name for topic in named.subscriptions(service)] == [
            topic.name.replace("vacancy.", "vacancy.blue.") if topic.name == "vacancy.events" else f"blue.{topic.name}"
            for topic in plain.subscriptions(service)
        ]


@pytest.mark.proves("CAT-02", "HTL-08")
def test_names_in_a_namespace() -> None:
    layout = load_layout(Settings(layout="catalogue", namespace="blue"))
    assert layout.group("payment") == "blue.payment-service-group"
    assert layout.group("user") == "blue.vacancy-user"
    assert layout.services["booking"].inbox == "vacancy.blue.booking.inbox"
    assert layout.instance.name == "vacancy.blue.instance"
    assert layout.consumers["blue.payment.payment.created"] == ("booking", "analytics")
    assert layout.route(InstanceNamed(instance_id="i", layout="catalogue")) == (layout.instance, "instance")
    assert layout.route(NumbersLeased(gateway="g")) == (layout.numbers, "g")


@pytest.mark.proves("CAT-02")
def test_a_type_may_share_its_topic_under_another_name() -> None:
    shared = CATALOGUE.replace(
        '[topics."booking.booking.created"]',
        '[topics."booking.booking.created"]\ncarries = { Opened = "booking.booking.created", Sent = "x" }',
    )
    with pytest.raises(LayoutError, match=r"topics\.booking\.booking\.created carries x, which no event model has"):
        made(shared)
    layout = made(shared.replace(', Sent = "x"', ""))
    assert layout.topics["booking.booking.created"].names == {BookingCreated.event_type: "Opened"}


@pytest.mark.proves("CAT-02", "CAT-26")
@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("partitions = 4", "partitions = 0", "inboxes.partitions"),
        ('retention = "90d"', 'retention = "long"', "analytics.event.tracked.retention: 'long'"),
        ('key = "entity_id"', 'key = "shoe_size"', "'shoe_size' is none of"),
        ('key = "entity_id"', 'key = "entity_id"\npartitioner = "dice"', "'dice' is none of"),
        ('codec = "catalogue"', 'codec = "catalogue"\ncolour = "blue"', "colour"),
        ('service = "integration"', 'service = "billing"', "groups.integration-service-group.service 'billing'"),
        ('subscribes = ["analytics.event.tracked"]', 'subscribes = ["a.b.c"]', "subscribes a.b.c"),
        ('default = "payment.authorized"', 'default = "hope"', "confirm_on.default"),
        ("[inboxes]", "[inboxes", "test: "),
    ],
)
def test_a_file_that_does_not_hold_is_refused_by_field(old: str, new: str, says: str) -> None:
    assert old in CATALOGUE
    with pytest.raises(LayoutError, match=re.escape(says)):
        made(CATALOGUE.replace(old, new, 1))


@pytest.mark.proves("CAT-02")
def test_a_layout_that_is_not_there_is_refused() -> None:
    with pytest.raises(LayoutError, match=r"no layout 'theatre'; there are: campsite, catalogue"):
        load_layout("theatre")


@pytest.mark.proves("CAT-02", "CAT-37")
@pytest.mark.parametrize("name", layouts())
def test_a_layout_is_what_its_file_says(name: str) -> None:
    text = (resources.files("config.layouts") / f"{name}.toml").read_text(encoding="utf-8")
    said, layout = tomllib.loads(text), load_layout(name)
    assert (layout.name, layout.title, layout.document) == (name, said["title"], said["document"])
    assert list(layout.topics) == list(said["topics"])
    assert layout.ports == said.get("ports", {})
    assert layout.notices == said["notices"]
    assert read_layout(name).codec == layout.codec
