"""Rows of any service, read from the worker that owns them."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import msgspec
import pytest
from aiohttp import ClientSession

from streams.ending import STORAGE, code_of
from streams.keys import partition_of
from streams.local import Row, StoreFailed
from tests.web.conftest import TOKEN, Gateway
from tests.web.instance import NOW, Instance
from web.owners import TOKEN_HEADER, Owners, OwnerUnavailable
from web.rows import Rows


@dataclass
class Keyed:
    """Rows of one key's partition, written as a worker's durable ones."""

    instance: Instance
    service: str
    key: str
    count: int = field(default=0)

    @property
    def partition(self) -> int:
        return partition_of(self.key, self.instance.layout.partitions)

    def put(self, name: str, /, **row: Any) -> None:
        self.count += 1
        rows = self.instance.stores[self.service].partition(self.partition)
        rows.store({name: Row(msgspec.json.encode(row), self.count, self.count)}, self.count)


@pytest.fixture
async def rows(gateway: Gateway) -> Any:
    async with ClientSession() as http:
        partitions = gateway.instance.layout.partitions
        owners = Owners(http, gateway.instance.workers, partitions=partitions, token=TOKEN, patience=0.3)
        yield Rows(owners)
        await owners.close()


@pytest.fixture
def kept(gateway: Gateway) -> Keyed:
    found = Keyed(gateway.instance, "user", "ada/1 %")
    for number in (3, 1, 2):
        found.put(f"n|{number}", number=number)
    found.put("u|ada", name="Ada")
    return found


async def test_a_row_is_read_by_its_name_in_the_partition_of_a_key(rows: Rows, kept: Keyed) -> None:
    assert await rows.row("user", kept.key, "u|ada") == b'{"name":"Ada"}'
    assert await rows.row("user", kept.key, "u|eve") is None


async def test_a_list_has_the_last_rows_in_order(rows: Rows, kept: Keyed) -> None:
    assert await rows.list("user", kept.key, "n|") == [b'{"number":1}', b'{"number":2}', b'{"number":3}']
    assert await rows.list("user", kept.key, "n|", 2) == [b'{"number":2}', b'{"number":3}']
    assert await rows.list("user", kept.key, "n|", 1, before="n|3") == [b'{"number":2}']
    assert await rows.list("user", kept.key, "m|") == []


async def test_a_scan_has_the_first_rows_of_a_partition_with_their_names(rows: Rows, kept: Keyed) -> None:
    found = await rows.scan("user", kept.partition, "n|", 2)
    assert found == [("n|1", b'{"number":1}'), ("n|2", b'{"number":2}')]
    assert await rows.scan("user", 1 - kept.partition, "n|") == []


async def test_a_miss_is_told_only_once_the_inbox_is_decided(gateway: Gateway, rows: Rows) -> None:
    gateway.instance.paused.add("payment")
    await gateway.unit()
    opened = await gateway.book()
    body = await (await gateway.call("GET", opened["links"]["self"])).json()
    for ask in (
        rows.row("payment", body["payment_id"], f"p|{body['payment_id']}"),
        rows.list("payment", body["payment_id"], "p|"),
        rows.scan("payment", partition_of(body["payment_id"], 2), "p|"),
    ):
        with pytest.raises(OwnerUnavailable):
            await ask
    gateway.instance.paused.clear()
    await gateway.instance.run()
    assert await rows.row("payment", body["payment_id"], f"p|{body['payment_id']}") is not None


async def test_what_has_no_history_has_no_past(rows: Rows, kept: Keyed) -> None:
    assert await rows.row("user", kept.key, "u|ada", at=NOW - timedelta(days=1)) is None
    assert await rows.timeline("user", kept.key) is None


@pytest.mark.parametrize(
    "path",
    [
        "user/ada",
        "user/ada/list",
        "user/ada/list?prefix=n&limit=many",
        "user/partition/one?prefix=n",
        "user/ada?at=yesterday",
        "user/ada?name=u&after=x",
        "user/ada/b/c",
        "user",
    ],
)
async def test_what_is_no_question_is_told_so(gateway: Gateway, path: str) -> None:
    async with ClientSession() as http:
        url = f"{str(gateway.worker.make_url('')).rstrip('/')}/rows/{path}"
        async with http.get(url, headers={"X-Vacancy-Internal": TOKEN}) as answer:
            assert answer.status == 400


@pytest.mark.parametrize("path", ["nobody/ada?name=u", "nobody/partition/0?prefix=n", "user/partition/99?prefix=n"])
async def test_what_nobody_here_owns_is_told_so(gateway: Gateway, path: str) -> None:
    async with ClientSession() as http:
        url = f"{str(gateway.worker.make_url('')).rstrip('/')}/rows/{path}"
        async with http.get(url, headers={"X-Vacancy-Internal": TOKEN}) as answer:
            assert answer.status == 421


@pytest.mark.parametrize("linked", [True, False])
async def test_a_store_that_cannot_be_read_ends_its_worker(
    gateway: Gateway, rows: Rows, kept: Keyed, monkeypatch: pytest.MonkeyPatch, linked: bool
) -> None:
    """As it would had a decision met it: what is read of half a store may be wrong."""
    ends: list[BaseException] = []
    gateway.instance.stores[kept.service].fail = ends.append

    def broken(partition: int, key: str) -> bytes | None:
        raise StoreFailed("IO error: no such device")

    monkeypatch.setattr(gateway.instance.stores[kept.service], "get", broken)
    if linked:
        with pytest.raises(OwnerUnavailable):
            await rows.row(kept.service, kept.key, "u|ada")
    else:
        async with ClientSession(headers={TOKEN_HEADER: TOKEN}) as http:
            url = gateway.worker.make_url(f"/rows/{kept.service}/ada?name=u|ada")
            async with http.get(url) as answer:
                assert answer.status == 503
    assert {code_of(end) for end in ends} == {STORAGE}
