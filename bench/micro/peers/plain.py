"""aiokafka and nothing else: batches in, batches out, rows in memory and on a changelog that nobody ever restores.

What two hops cost at least in Python on this client; it promises nothing. Two tasks in one process, acks=all,
idempotent, each fetch answered by one batch a partition, offsets committed once those are acknowledged.
"""

from __future__ import annotations

import asyncio
import sys
from collections import defaultdict

import orjson
import uvloop
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.partitioner import murmur2

from bench.micro.decision import Row, decide
from bench.micro.load import PARTITIONS

Records = list[tuple[bytes, bytes]]


async def main(bootstrap: str, run: str, source: str, middle: str, output: str, directory: str) -> None:
    producer = AIOKafkaProducer(
        bootstrap_servers=bootstrap, acks="all", enable_idempotence=True, max_batch_size=2**20, max_request_size=2**21
    )
    await producer.start()
    async with asyncio.TaskGroup() as both:
        both.create_task(rekey(await reader(bootstrap, run, source), producer, middle))
        both.create_task(answer(await reader(bootstrap, run, middle), producer, output, f"{run}-rows"))


async def reader(bootstrap: str, run: str, topic: str) -> AIOKafkaConsumer:
    consumer = AIOKafkaConsumer(
        topic,
        bootstrap_servers=bootstrap,
        group_id=f"{run}-{topic}",
        auto_offset_reset="earliest",
        enable_auto_commit=False,
    )
    await consumer.start()
    return consumer


async def rekey(consumer: AIOKafkaConsumer, producer: AIOKafkaProducer, middle: str) -> None:
    partitions: dict[bytes, int] = {}
    while True:
        fetched = await consumer.getmany(timeout_ms=500, max_records=8_000)
        out: defaultdict[int, Records] = defaultdict(list)
        for records in fetched.values():
            for record in records:
                body = orjson.loads(record.value)
                key = f"{body['provider_id']}/{body['product_id']}".encode()
                partition = partitions.get(key)
                if partition is None:
                    partition = partitions[key] = (murmur2(key) & 0x7FFFFFFF) % PARTITIONS
                out[partition].append((key, record.value))
        await send(producer, middle, out)
        if fetched:
            await consumer.commit()


async def answer(consumer: AIOKafkaConsumer, producer: AIOKafkaProducer, output: str, changelog: str) -> None:
    rows: dict[bytes, Row] = {}
    while True:
        fetched = await consumer.getmany(timeout_ms=500, max_records=8_000)
        answers: defaultdict[int, Records] = defaultdict(list)
        changes: defaultdict[int, Records] = defaultdict(list)
        for tp, records in fetched.items():
            touched: dict[bytes, Row] = {}
            for record in records:
                body = orjson.loads(record.value)
                slot, booking_id = body["slot"], body["booking_id"]
                key = b"%b|%b" % (record.key, slot.encode())
                row, outcome, left = decide(rows.get(key), booking_id, body["quantity"])
                if row is not None:
                    rows[key] = touched[key] = row
                said = {
                    "booking_id": booking_id,
                    "resource": record.key.decode(),
                    "slot": slot,
                    "outcome": outcome,
                    "left": left,
                    "sent": body["sent"],
                }
                answers[tp.partition].append((record.key, orjson.dumps(said)))
            changes[tp.partition] = [(key, orjson.dumps(row)) for key, row in touched.items()]
        await asyncio.gather(send(producer, output, answers), send(producer, changelog, changes))
        if fetched:
            await consumer.commit()


async def send(producer: AIOKafkaProducer, topic: str, records: dict[int, Records]) -> None:
    acknowledged = []
    for partition, each in records.items():
        batch = producer.create_batch()
        for key, value in each:
            if batch.append(key=key, value=value, timestamp=None) is None:
                acknowledged.append(await producer.send_batch(batch, topic, partition=partition))
                batch = producer.create_batch()
                batch.append(key=key, value=value, timestamp=None)
        if batch.record_count():
            acknowledged.append(await producer.send_batch(batch, topic, partition=partition))
    await asyncio.gather(*acknowledged)


if __name__ == "__main__":
    uvloop.run(main(*sys.argv[1:7]))
