"""The AsyncAPI document of every layout: its topics, its words, and nothing that is not said there."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest

from config.settings import layouts
from streams.events import ENCODER, EVENT_TYPES
from streams.layout import load_layout
from streams.wire import codec_of
from web.asyncapi import document
from web.samples import PERSON, envelope_of, sample

LAYOUTS = [pytest.param(name, id=name) for name in layouts()]


def made(name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(json.dumps(document(load_layout(name), "0.2.0", "h1:9092,h2:9092")))
    return found


@pytest.mark.parametrize("name", LAYOUTS)
def test_every_public_topic_is_a_channel_with_its_messages_by_the_documents_names(name: str) -> None:
    layout, found = load_layout(name), made(name)
    assert set(found["channels"]) == {topic.name for topic in layout.public}
    assert found["servers"]["kafka"]["host"] == "h1:9092"
    for topic in layout.public:
        channel = found["channels"][topic.name]
        assert channel["bindings"]["kafka"]["partitions"] == topic.partitions
        names = {topic.names.get(model.event_type, model.event_type) for model in topic.carries}
        assert set(channel["messages"]) == names
        for said, reference in channel["messages"].items():
            assert found["components"]["messages"][reference["$ref"].rpartition("/")[2]]["name"] == said


@pytest.mark.parametrize("name", LAYOUTS)
def test_every_reference_leads_somewhere(name: str) -> None:
    found = made(name)
    there = {
        *(f"#/channels/{each}" for each in found["channels"]),
        *(f"#/components/{kind}/{each}" for kind, parts in found["components"].items() for each in parts),
    }
    assert references(found) <= there


@pytest.mark.parametrize("name", LAYOUTS)
def test_a_documents_own_messages_are_shown_as_its_codec_writes_them(name: str) -> None:
    layout, found = load_layout(name), made(name)
    codec = codec_of(layout.codec)
    for topic in layout.topics.values():
        for model in topic.carries:
            message = found["components"]["messages"][model.event_type]
            assert {"ce_id", "vacancy-sig", "vacancy-rest"} <= set(message["headers"]["properties"])
            if layout.codec == "catalogue":
                assert message["payload"]["properties"]["event_type"]["const"] == model.event_type
            else:
                (example,) = message["examples"]
                value, _ = codec.encode(envelope_of(model), topic, lambda user_id, sealed: PERSON)
                assert example["payload"].keys() == json.loads(value).keys()


def test_the_catalogue_shows_what_its_document_shows_and_vacancy_events_all() -> None:
    schemas = made("catalogue")["components"]["schemas"]
    confirmed = {"booking_id", "user_id", "product_id", "payment_id", "confirmed_at", "price_amount", "price_currency"}
    assert set(schemas["BookingConfirmed"]["properties"]) == confirmed
    assert set(schemas["UserCreated"]["properties"]) == {"user_id", "created_at", *PERSON}
    assert "about" in schemas["BookingCheckedIn"]["properties"]
    assert "About" in schemas


@pytest.mark.parametrize("kind", sorted(EVENT_TYPES))
def test_values_can_be_made_up_for_every_event(kind: str) -> None:
    model = EVENT_TYPES[kind]
    assert msgspec.json.decode(ENCODER.encode(sample(model)), type=model) == sample(model)


def references(value: object) -> set[str]:
    if isinstance(value, dict):
        here = {value["$ref"]} if isinstance(value.get("$ref"), str) else set()
        return here.union(*(references(each) for each in value.values()))
    return set().union(*(references(each) for each in value)) if isinstance(value, list) else set()
