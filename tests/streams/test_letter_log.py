"""Dead letters on a real Kafka: read up to where they end, answered, and written down."""

from __future__ import annotations

from collections.abc import AsyncGenerator

import pytest
from aiokafka.admin import NewTopic

from streams.admin import admin, config_of
from streams.dead_letters import Letter, dead_letter
from streams.layout import Layout, make_layout
from streams.layout_file import read_layout
from streams.letter_desk import Desk
from streams.letter_log import KafkaLetters
from streams.letters import Filter
from streams.replays import Replay
from streams.services import internal_name
from streams.topics import dead_letter_name
from tests.memory_log import Stored


@pytest.mark.broker
async def test_letters_are_read_and_answered_on_kafka(kafka: str) -> None:
    layout = make_layout("catalogue", read_layout("catalogue"), "letters")
    inbox = layout.services["booking"].inbox
    await make(kafka, layout, inbox)
    log = KafkaLetters(kafka)
    try:
        origins = [Stored(inbox, 1, n, 1, b"k" if n else None, b"%d" % n if n else None) for n in range(300)]
        letters = [dead_letter(each, reason="r", kind="undecodable", group="g") for each in origins]
        assert await log.append([Replay(f"{inbox}.dlq", 0, each) for each in letters]) == list(range(300))
        desk = Desk(log, layout)

        async def all_open() -> AsyncGenerator[Letter, None]:
            async for each in desk.look_through(Filter(topic=inbox)):
                if each.wanted:
                    yield each.letter

        done = [each async for each in desk.answer(all_open(), "replayed", by="ada")]
        assert [each.letter.offset for each in done] == list(range(300))
        assert {each.refused for each in done} == {None}
        again = [record async for record in log.read({inbox: 0})]  # partition 0 of it has nothing
        assert again == []
        # Somebody else at another desk sees what was done.
        other = Desk(log, layout)
        found = await other.get(f"{inbox}/299")
        assert found is not None
        assert (found.status, found.letter.value, found.letter.key) == ("replayed", b"299", b"k")
        assert len([each async for each in other.history()]) == 300
    finally:
        await log.stop()


async def test_of_no_topic_nothing_is_read() -> None:
    """Nor is anybody asked: a consumer of no partition cancels who stops it."""
    assert [record async for record in KafkaLetters("127.0.0.1:1").read({})] == []


async def make(kafka: str, layout: Layout, inbox: str) -> None:
    """Only the topics that are used here: while a busy broker makes a whole layout's partitions, it answers for longer
    than anybody waits that it does not lead them yet.
    """
    used = {inbox, dead_letter_name(inbox), internal_name("dead-letters", layout.namespace)}
    topics = [topic for topic in layout.all_topics if topic.name in used]
    assert len(topics) == len(used)
    async with admin(kafka) as client:
        await client.create_topics(
            [NewTopic(each.name, each.partitions, 1, topic_configs=config_of(each, 1)) for each in topics]
        )
