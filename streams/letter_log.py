"""Dead letters on Kafka, as somebody reads and answers them who is no consumer group: the commands and the gateway."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Mapping, Sequence

from aiokafka import AIOKafkaProducer, TopicPartition
from aiokafka.errors import KafkaError

from streams.log import LogUnavailable, producer
from streams.reader import Raw, consumer
from streams.replays import Replay

#: Letters may be of 4 MiB: so many at most are handed on at a time.
_AT_ONCE = 200
#: How long Kafka may take to acknowledge, or to say where topics end, in seconds.
_PATIENCE_S = 15.0


class KafkaLetters:
    """Reads topics of one partition from given offsets, and appends. Opened by `async with`."""

    def __init__(self, bootstrap: str) -> None:
        self._bootstrap = bootstrap
        self._producer: AIOKafkaProducer | None = None
        self._opening = asyncio.Lock()

    async def stop(self) -> None:
        if self._producer is not None:
            await self._producer.stop()

    async def read(self, begins: Mapping[str, int]) -> AsyncGenerator[Raw, None]:
        """Each topic's records from its offset on, one topic after the other, to where they end as of the call.

        Raises:
            LogUnavailable: Kafka did not answer.
        """
        if not begins:
            return  # a consumer of nothing cannot be stopped: it cancels whoever does it
        reader = consumer(self._bootstrap, max_poll_records=_AT_ONCE)
        try:
            async with asyncio.timeout(_PATIENCE_S):
                await reader.start()
                wanted = {TopicPartition(topic, 0): begin for topic, begin in begins.items()}
                reader.assign(list(wanted))
                # One after the other: so nothing is fetched that is read much later, if at all.
                reader.pause(*wanted)
                firsts = await reader.beginning_offsets(list(wanted))
                ends = await reader.end_offsets(list(wanted))
            for tp, begin in wanted.items():
                begin = max(begin, firsts[tp])
                if begin < ends[tp]:
                    reader.seek(tp, begin)
                    reader.resume(tp)
                    heard = time.monotonic()
                    while await reader.position(tp) < ends[tp]:
                        for record in (await reader.getmany(tp, timeout_ms=200)).get(tp, ()):
                            if record.offset < ends[tp]:
                                yield record
                            heard = time.monotonic()
                        if time.monotonic() - heard > _PATIENCE_S:
                            raise TimeoutError(f"Kafka hands on nothing of {tp.topic}")
                        await asyncio.sleep(0)
                    reader.pause(tp)
        except (KafkaError, TimeoutError) as error:
            raise LogUnavailable(f"the dead letters cannot be read: {str(error) or type(error).__name__}") from error
        finally:
            await reader.stop()

    async def append(self, records: Sequence[Replay]) -> list[int]:
        """Returns the records' offsets once all of them are on the log, on every replica asked for.

        Raises:
            LogUnavailable: they are not, or only some; safe to append again.
        """
        try:
            async with asyncio.timeout(_PATIENCE_S):
                writer = await self._writer()
                sent = [
                    await writer.send(
                        topic,
                        key=record.key,
                        value=record.value,
                        headers=list(record.headers),
                        partition=partition,
                    )
                    for topic, partition, record in records
                ]
                return [(await each).offset for each in sent]
        except (KafkaError, TimeoutError) as error:
            raise LogUnavailable(f"{records[0].topic}: {str(error) or type(error).__name__}") from error

    async def _writer(self) -> AIOKafkaProducer:
        async with self._opening:
            if self._producer is None:
                writer = producer(self._bootstrap)
                await writer.start()
                self._producer = writer
        return self._producer
