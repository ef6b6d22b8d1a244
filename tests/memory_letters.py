"""Dead letters on a log in memory, for the desk that answers them."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping, Sequence

from streams.reader import Raw
from streams.replays import Replay
from tests.memory_log import MemoryLog


class MemoryLetters:
    """What `streams.letter_log.KafkaLetters` does. An append to the topic `fail_on` fails."""

    def __init__(self, log: MemoryLog) -> None:
        self.log = log
        self.fail_on = ""
        #: How many records were read.
        self.reads = 0

    async def read(self, begins: Mapping[str, int]) -> AsyncGenerator[Raw, None]:
        ends = {topic: len(self.log.read(topic)) for topic in begins}
        for topic, begin in begins.items():
            for record in self.log.read(topic)[begin : ends[topic]]:
                self.reads += 1
                yield record

    async def append(self, records: Sequence[Replay]) -> list[int]:
        if records[0].topic == self.fail_on:
            raise ConnectionError(self.fail_on)
        return [self.log.append(topic, partition, record).offset for topic, partition, record in records]
