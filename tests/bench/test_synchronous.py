"""Calls in a row beside events: offered alike, told alike."""

from __future__ import annotations

import asyncio
import json
import sqlite3
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path

import pytest

from bench.log_traffic import Traffic, stays
from bench.sync_load import Seen, due_times, offer, summed
from bench.sync_store import SCHEMAS, Store, commits
from bench.sync_systems import calls
from bench.synchronous import beside, holds
from cli.client import Refused, Stay


def asked(bookings: int) -> list[Stay]:
    return list(stays(Traffic(bookings=bookings, unit_types=5, declined=0), datetime.now(UTC).date()))


def test_bookings_are_due_evenly() -> None:
    due = list(due_times(5, rate=10))
    assert [later - earlier for earlier, later in pairwise(due)] == pytest.approx([0.1] * 4)


async def test_a_slow_booking_delays_no_other() -> None:
    loop = asyncio.get_running_loop()
    began: list[str] = []
    released = asyncio.Event()

    async def book(stay: Stay, key: str) -> tuple[float, float]:
        began.append(key)
        if len(began) == 3:
            released.set()
        await released.wait()  # the first would wait for ever if the others were not offered meanwhile
        return loop.time(), loop.time()

    seen = await offer(book, asked(3), rate=1_000, run="r")
    assert began == ["bench-r-0", "bench-r-1", "bench-r-2"]
    assert all(each.answer_s is not None and each.answer_s >= 0 for each in seen)


async def test_what_fails_is_counted_and_has_no_latency() -> None:
    async def book(stay: Stay, key: str) -> tuple[float, float]:
        raise Refused(409, "no")

    told = summed(await offer(book, asked(2), rate=1_000, run="r"))
    assert told == {"bookings": 2, "errors": 2, "answer_ms": None, "confirm_ms": None}
    assert not holds(told)


def test_a_rate_is_held_while_outcomes_come_within_half_a_second() -> None:
    assert holds(summed([Seen("tok_visa", 0.1, 0.499)] * 20))
    assert not holds(summed([Seen("tok_visa", 0.1, 0.501)] * 20))
    assert not holds(summed([*[Seen("tok_visa", 0.1, 0.1)] * 20, Seen("tok_visa")]))


def test_both_sides_stand_beside_each_other() -> None:
    measured = {"held": {"rate": 1.0}, "rates": [{"rate": 1.0, "side": {"bookings": 4}}], "slow": []}
    other = {"held": {"rate": 2.0}, "rates": [{"rate": 1.0, "side": {"bookings": 5}}], "slow": []}
    assert beside(measured, other) == {
        "held": {"synchronous": {"rate": 1.0}, "vacancy": {"rate": 2.0}},
        "rates": [{"rate": 1.0, "synchronous": {"bookings": 4}, "vacancy": {"bookings": 5}}],
        "slow": [],
    }


def test_a_store_keeps_all_of_a_transaction_or_nothing(tmp_path: Path) -> None:
    store = Store(tmp_path / "s.sqlite", SCHEMAS["analytics"])
    with pytest.raises(sqlite3.IntegrityError), store.committed() as db:
        db.executemany("insert into observed values (?)", [("a",), ("a",)])
    with store.committed() as db:
        assert db.execute("select count(*) from observed").fetchone() == (0,)
        assert db.execute("pragma synchronous").fetchone() == (2,)
    store.close()
    assert len(commits(tmp_path, 3)) == 3


@pytest.mark.timeout(60)
def test_a_booking_passes_all_six_services(tmp_path: Path) -> None:
    with calls(tmp_path) as system:

        async def book() -> list[Seen]:
            async with system.booking() as booking:
                return await offer(booking, asked(3), rate=20, run="r")

        seen = asyncio.run(book())
        assert set(system.cpu_seconds()) == {*SCHEMAS, "provider"}
    assert json.loads(json.dumps(summed(seen)))["errors"] == 0
    assert len(list((tmp_path / "mail").glob("*.eml"))) == 3
    for service, table in (("reservation", "reservation"), ("payment", "payment"), ("rate", "applied")):
        with sqlite3.connect(tmp_path / f"{service}.sqlite") as db:
            assert db.execute(f"select count(*) from {table}").fetchone() == (3,)
        db.close()
    with sqlite3.connect(tmp_path / "reservation.sqlite") as db:
        assert db.execute("select distinct status from reservation").fetchall() == [("CONFIRMED",)]
    db.close()
