"""The public interface as a test speaks it, and the topics as anybody may read them."""

from __future__ import annotations

import asyncio
import datetime as dt
import json
import uuid
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import aiohttp
from aiokafka import TopicPartition

from streams.publisher import KafkaPublisher, Record
from streams.reader import Raw, consumer, read_to_end

TODAY = dt.datetime.now(dt.UTC).date()


@dataclass(frozen=True)
class Answer:
    status: int
    body: Any
    headers: dict[str, str]


class Api:
    """Requests to one instance, with the operator's key."""

    def __init__(self, session: aiohttp.ClientSession, bootstrap: str) -> None:
        self._session = session
        self.bootstrap = bootstrap

    async def call(self, method: str, path: str, body: Any = None, **headers: str) -> Answer:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        async with self._session.request(method, path, json=body, headers=named) as response:
            text = await response.text()
            parsed = json.loads(text) if "json" in response.headers.get("Content-Type", "") else text
            return Answer(response.status, parsed, dict(response.headers))

    async def unit(self, name: str, capacity: int = 5, **more: Any) -> None:
        price = {"amount": "100.00", "currency": "EUR"}
        body = {"capacity": capacity, "base_price": price, **more}
        answer = await self.call("PUT", f"/api/properties/{name}/units/standard", body)
        assert answer.status == 200, answer

    async def book(self, name: str, start: int = 30, nights: int = 2, **more: Any) -> Answer:
        key = more.pop("key", None) or str(uuid.uuid4())
        return await self.call("POST", "/api/reservations", stay(name, start, nights, **more), Idempotency_Key=key)

    async def outcome(self, booking_id: str) -> dict[str, Any]:
        """The booking once it has an outcome."""
        for _ in range(6):
            answer = await self.call("GET", f"/api/reservations/{booking_id}?wait=5")
            if answer.status == 200 and answer.body["status"] != "PENDING":
                found: dict[str, Any] = answer.body
                return found
        raise AssertionError(f"no outcome: {answer}")

    async def free(self, name: str, start: int, nights: int = 1) -> list[int]:
        """What is free in each night, as the availability says."""
        begin = TODAY + dt.timedelta(days=start)
        query = f"property_id={name}&unit_type=standard&from={begin}&to={begin + dt.timedelta(days=nights)}"
        answer = await self.call("GET", f"/api/availability?{query}")
        assert answer.status == 200, answer
        return [night["free"] for night in answer.body["nights"]]

    async def records(self, topic: str, partitions: int) -> list[Raw]:
        """Everything on a topic."""
        reader = consumer(self.bootstrap)
        await reader.start()
        try:
            tps = [TopicPartition(topic, number) for number in range(partitions)]
            reader.assign(tps)
            await reader.seek_to_beginning(*tps)
            return [record async for _, records in read_to_end(reader, tps) for record in records]
        finally:
            await reader.stop()

    async def events(self, topic: str, booking_id: str, partitions: int = 3) -> list[dict[str, Any]]:
        found = [record.value for record in await self.records(topic, partitions)]
        ours = [json.loads(value) for value in found if value and booking_id.encode() in value]
        return [event for event in ours if event["data"].get("booking_id") == booking_id]

    async def write(self, topic: str, partition: int, *records: Record) -> None:
        """What a program of somebody else writes to a topic."""
        publisher = KafkaPublisher(self.bootstrap)
        await publisher.start()
        try:
            for record in records:
                await publisher.send(topic, partition, record)
        finally:
            await publisher.stop()


async def eventually(holds: Callable[[], Awaitable[Any]], seconds: float = 15) -> Any:
    """What `holds` finds, once it finds something. Raises TimeoutError."""
    async with asyncio.timeout(seconds):
        while not (found := await holds()):  # noqa: ASYNC110
            await asyncio.sleep(0.2)
        return found


def stay(name: str, start: int = 30, nights: int = 2, token: str = "tok_visa", **more: Any) -> dict[str, Any]:
    check_in = TODAY + dt.timedelta(days=start)
    return {
        "property_id": name,
        "unit_type": "standard",
        "check_in": str(check_in),
        "check_out": str(check_in + dt.timedelta(days=nights)),
        "guest": {"email": f"{uuid.uuid4().hex[:8]}@example.com", "first_name": "Ada", "last_name": "Guest"},
        "payment_method": {"token": token},
        **more,
    }
