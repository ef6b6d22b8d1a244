"""Dead letters on a real Kafka: read up to where they end, answered, and written down."""

from __future__ import annotations

from collections.abc import AsyncGenerator

import pytest

from streams.admin import apply
from streams.dead_letters import Letter, dead_letter
from streams.layout import make_layout
from streams.layout_file import read_layout
from streams.letter_desk import Desk
from streams.letter_log import KafkaLetters
from streams.letters import Filter
from streams.replays import Replay
from tests.memory_log import Stored


@pytest.mark.broker
async def test_letters_are_read_and_answered_on_kafka(kafka: str) -> None:
    layout = make_layout("catalogue", read_layout("catalogue"), "letters")
    await apply(kafka, layout, "local")
    inbox = layout.services["booking"].inbox
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
