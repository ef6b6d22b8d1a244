"""Dead letters of a running instance: found, edited and replayed by command and over HTTP, to who failed alone."""

from __future__ import annotations

import asyncio
import json
import uuid
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from bench.chaos.instance import Instance
from streams.publisher import Record
from tests.cli.command import Ran, vacancy
from tests.whole.api import Api

INBOX, TOPIC = "vacancy.record.inbox", "user.user.created"
BODY = {
    "event_version": "1.0",
    "event_type": TOPIC,
    "timestamp": "2026-11-01T10:00:00Z",
    "correlation_id": "c1",
    "metadata": {"source": "shop"},
}


async def dlq(whole: Instance, *arguments: str, code: int = 0) -> dict[str, Any]:
    def run() -> Ran:
        return vacancy("dlq", *arguments, "--data", str(whole.data), "--json")

    ran = await asyncio.to_thread(run)
    assert ran.code == code, ran
    found: dict[str, Any] = json.loads(ran.out)
    return found


async def until(found: Callable[[], Awaitable[list[Any]]], count: int) -> list[Any]:
    for _ in range(100):
        if len(seen := await found()) >= count:
            return seen
        await asyncio.sleep(0.2)
    raise AssertionError(f"{len(seen)} of {count}")


@pytest.mark.proves("CAT-25", "HTL-38")
async def test_poison_is_edited_and_replayed_to_the_group_that_failed_alone(api: Api, whole: Instance) -> None:
    user = f"u-{uuid.uuid4()}"
    broken = {
        **BODY,
        "event_id": str(uuid.uuid4()),
        "data": {"user_id": user, "email": f"{user}@example.com", "created_at": "never"},
    }
    await api.write(TOPIC, 0, Record(user.encode(), json.dumps(broken).encode()))
    await api.write(INBOX, 1, Record(b"poison-of-this-test", b"\xff"))

    async def listed(topic: str, key: str) -> list[Any]:
        found: list[Any] = (await dlq(whole, "list", "--topic", topic, "--key", key))["letters"]
        return found

    [heard] = await until(lambda: listed(TOPIC, user), 1)
    [inside] = await until(lambda: listed(INBOX, "poison-of-this-test"), 1)
    assert (heard["class"], inside["class"]) == ("undecodable", "undecodable")

    # The documented topic's, by command: its edited copy reaches the gate, which makes a request of it.
    edited = await dlq(whole, "edit", heard["letter"], "--set", "data.created_at=2026-11-01T10:00:00Z")
    dry = await dlq(whole, "replay", edited["copy"], "--dry-run")
    assert (dry["done"], await api.records("vacancy.replays", 1)) == (1, [])
    assert (await dlq(whole, "replay", edited["copy"], "--yes"))["done"] == 1
    assert (await dlq(whole, "replay", edited["copy"], "--yes", code=1))["refused"][0]["letter"] == edited["copy"]

    async def asked() -> list[Any]:
        return [each for each in await api.records("vacancy.user.inbox", 4) if user.encode() in (each.value or b"")]

    [request] = await until(asked, 1)
    assert json.loads(request.value)["event_type"] == "user.user.register"

    # The inbox's, over HTTP: it fails again, and its new letter counts.
    path = f"/api/dead-letters/{inside['letter']}"
    answer = await api.call("POST", f"{path}/replay", {})
    assert (answer.status, answer.body["done"]) == (200, [inside["letter"]])
    [again] = await until(lambda: listed(INBOX, "poison-of-this-test"), 1)
    assert (again["replays"], again["letter"] != inside["letter"]) == (1, True)
    dropped = await api.call("POST", f"/api/dead-letters/{again['letter']}/drop", {"note": "a test"})
    assert dropped.status == 200

    replays = await api.records("vacancy.replays", 1)
    assert [dict(each.headers)["vacancy-replay-group"] for each in replays] == [heard["group"].encode()]
    told = await asyncio.to_thread(lambda: vacancy("dlq", "log", "--data", str(whole.data)))
    lines = [
        line for line in told.out.splitlines() if heard["letter"] in line or INBOX in line or edited["copy"] in line
    ]
    assert [line.split()[2] for line in lines] == ["edited", "replayed", "replayed", "dropped"]
