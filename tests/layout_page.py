"""docs/layouts.md, written from the layouts, their codecs and the tests that prove their requirements.

`make docs` writes it; a test holds that it is what it would write. What stands before the tables is in `INTRODUCTION`.
"""

from __future__ import annotations

import json
from collections.abc import Iterator

from config.settings import layouts
from streams.bridge import SHARED, SHARED_ABOUT
from streams.events import Event
from streams.events.about import Kind
from streams.layout import Layout, load_layout
from streams.topics import DAY_MS, Topic
from streams.wire import codec_of
from tests.proofs import ROOT, gaps, proofs, requirements
from web.samples import PERSON, envelope_of

PAGE = ROOT / "docs" / "layouts.md"
#: Which requirements a document's layout answers for.
PREFIX = {"campsite": "CAMP", "orders": "ORD", "hotel": "HTL", "catalogue": "CAT", "clinic": "CLN"}
#: What the samples are bookings of, where not of nights.
_KIND: dict[str, Kind] = {"clinic": "appointment", "orders": "order"}
#: How many tests are named for one requirement.
_MOST = 3

INTRODUCTION = """# Layouts

*Written by `make docs` from `config/layouts/*.toml`, the codecs in `streams/wire/` and the tests.*

A layout makes the platform speak one document's contract: its topics, partitions, retention, keys, consumer groups and
messages. `vacancy up --layout NAME` runs it; a data directory belongs to one layout. The code knows canonical types
only (the catalogue's naming, `{service}.{entity}.{action}`); a layout file maps them to the document's topics, and a
codec writes and reads the document's messages. The HTTP interface is the same under every layout.

**What the document has no topic for** goes to `vacancy.events`: the canonical envelope, keyed by what it is about,
7 days. **What a message of ours says beyond its document** travels in the header `vacancy-rest` (JSON, personal data
sealed), so that nothing is lost between our own parts; readers of the document can ignore it. Every message of ours
has `ce_id` and `vacancy-sig`; where the document has no place for them, `ce_time` and `correlation_id` too.

**Other programs** may write requests in a document's format: bookings that are created, changed or cancelled, users,
and the clinic's records. They are priced and numbered by us and get an outcome like any other; what is created by them
is not announced a second time. The group `vacancy-gate` reads every public topic for them. A message without an id
gets one from its topic, partition and offset. Without a payment token the setting `foreign_payment_token` is used;
unset, the booking is REJECTED `payment_method_missing`. Another price than ours is REJECTED `price_changed`. What only
this instance can say (confirmed, authorized, reserved...) is not believed from anybody else: without our signature it
goes to `{topic}.dlq` with the class `not-ours`; what cannot be read goes there as `undecodable`.

**Two layouts side by side**: a cluster carries one instance. A second one has a namespace (`VACANCY_NAMESPACE=north`):
its own topics are `vacancy.north.…`, those of its document and its groups `north.…`.

**A bridge** carries the messages of one layout into another: `vacancy bridge --from campsite --to catalogue`. Whatever
documents they cross, messages keep: {shared}; of their booking: {about}; and their own id, time and correlation.

**Topics** are compared and made by `vacancy topics lint | plan | apply`. Where two places of one document disagree on
who reads what (C15), both hold, and `lint` prints the difference.

**Settings** may override partitions, replication and retention of a documented topic (`topics` in `vacancy.toml`, or
Spring's `kafka.topic.NAME.partitions|replication-factor|retention-ms|retention-days`), its producers
(`producer_acks`, `producer_compression`, `producer_batch_bytes`, `producer_linger_ms`) and consumers
(`consumer_max_poll_records`). `profile = "document"` takes all of these from the document where the layout has a
profile; with fewer acknowledgements than all, an acknowledged event may be lost, and `vacancy up` warns of it. Spring's
`application.properties` and `application-ENVIRONMENT.properties` in the data directory are read too:
`spring.kafka.bootstrap-servers`, `spring.kafka.producer.acks|compression-type|batch-size|properties.linger.ms`,
`spring.kafka.consumer.max-poll-records`, `spring.kafka.properties.session.timeout.ms`,
`spring.kafka.listener.concurrency`, `server.port`. Serializers, group ids and commit modes are fixed here; a file that
sets them is accepted and `vacancy config` notes it.
"""


def page() -> str:
    """The whole page."""
    introduction = INTRODUCTION.replace("{shared}", _listed(SHARED)).replace("{about}", _listed(SHARED_ABOUT))
    sections = [introduction, *("\n".join(_section(load_layout(name))) for name in layouts())]
    return "\n".join(sections).rstrip() + "\n"


def _listed(names: tuple[str, ...]) -> str:
    return ", ".join(f"`{name}`" for name in names)


def _section(layout: Layout) -> Iterator[str]:
    yield f"## {layout.name}: {layout.title}\n"
    yield from _topics(layout)
    yield from _groups(layout)
    yield from _conditions(layout)
    yield from _samples(layout)
    yield from _proven(PREFIX[layout.name])


def _topics(layout: Layout) -> Iterator[str]:
    yield "| topic | partitions | retention | key | carries |"
    yield "|---|---|---|---|---|"
    for topic in layout.public:
        carries = ", ".join(_named(topic, model) for model in topic.carries)
        days = f"{topic.retention_ms // DAY_MS} d"
        yield f"| `{topic.name}` | {topic.partitions} | {days} | `{topic.key}` | {carries} |"
    yield ""


def _named(topic: Topic, model: type[Event]) -> str:
    said = topic.names.get(model.event_type, model.event_type)
    return f"`{said}`" if said == model.event_type else f"{said} = `{model.event_type}`"


def _groups(layout: Layout) -> Iterator[str]:
    yield "| consumer group | service | reads |"
    yield "|---|---|---|"
    for service in layout.running:
        topics = ", ".join(f"`{topic.name}`" for topic in layout.subscriptions(service))
        yield f"| `{layout.group(service)}` | {service} | {topics or 'its inbox only'} |"
    yield ""
    if layout.differences:
        yield "The document disagrees with itself (C15); both hold:\n"
        yield from (f"- {difference}" for difference in layout.differences)
        yield ""


def _conditions(layout: Layout) -> Iterator[str]:
    waits = ", ".join(f"{kind}: `{what}`" for kind, what in layout.confirm.items())
    yield f"A booking is confirmed once inventory agreed and, by its kind, on {waits}.\n"
    for channel, notices in layout.notices.items():
        told = ", ".join(f"`{kind}` ({template})" for kind, template in notices.items())
        yield f"By {channel} a guest is told of: {told}.\n"
    if layout.ports:
        ports = ", ".join(f"{service} {port}" for service, port in layout.ports.items())
        yield f"Run by itself (`vacancy worker SERVICE`), a service listens on: {ports}.\n"
    if layout.profile is not None:
        profile = layout.profile
        yield (
            f'With `profile = "document"`: acks {profile.acks}, {profile.compression}, batches of '
            f"{profile.batch_bytes} bytes, linger {profile.linger_ms} ms; consumers take up to "
            f"{profile.max_poll_records} records, sessions time out after {profile.session_timeout:g} s.\n"
        )


def _samples(layout: Layout) -> Iterator[str]:
    """One message of each documented type: where a document shows no schema, this is ours."""
    codec = codec_of(layout.codec)
    yield "<details><summary>A message of each type</summary>\n"
    for topic in layout.topics.values():
        for model in topic.carries:
            value, _ = codec.encode(
                envelope_of(model, _KIND.get(layout.name, "stay")), topic, lambda user, sealed: PERSON
            )
            yield f"`{topic.name}`: {topic.names.get(model.event_type, model.event_type)}\n"
            yield f"```json\n{json.dumps(json.loads(value), indent=2, ensure_ascii=False)}\n```\n"
    yield "</details>\n"


def _proven(prefix: str) -> Iterator[str]:
    found, open_ = proofs(), gaps()
    yield "| requirement | proven by |"
    yield "|---|---|"
    for requirement, demand in requirements().items():
        if not requirement.startswith(f"{prefix}-"):
            continue
        tests = found.get(requirement, [])
        shown = "<br>".join(f"`{test.removeprefix('tests/')}`" for test in tests[:_MOST])
        more = f"<br>and {len(tests) - _MOST} more" if len(tests) > _MOST else ""
        why = "see [gaps](gaps.md)" if requirement in open_ else ""
        yield f"| {requirement}: {_short(demand)} | {'<br>'.join(each for each in (shown + more, why) if each)} |"
    yield ""


def _short(demand: str) -> str:
    text = demand.replace("|", "\\|").replace("<", "&lt;")
    return text if len(text) <= 90 else f"{text[:87].rsplit(' ', 1)[0]} …"


if __name__ == "__main__":
    PAGE.write_text(page(), "utf-8")
