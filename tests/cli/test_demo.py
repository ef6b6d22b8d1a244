"""`vacancy demo` against a gateway that behaves, and against ones that do not."""

from __future__ import annotations

import asyncio
import io
import json
import os
import signal
import socket
import sys
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from cli import demo
from cli.client import Booking, GatewayClient, NoOutcome, Refused, Stay, Unreachable, open_session
from cli.demo import Order, perform
from cli.houses import PLENTY, UNITS
from cli.instance import Instance
from cli.journeys import unexpected
from cli.problem import Misuse, Problem
from cli.report import Report
from cli.trades import Stays
from cli.traffic import MIX, plan
from tests.cli.fake_gateway import API_KEY, FakeGateway, running

#: This seed brings every kind of journey within so many bookings.
ORDER = Order(rate=400, seed=460, duration=1, patience=5)
ASKED = list(plan(ORDER.seed, 400, date(2026, 5, 1), 1))
KINDS = Counter(journey.kind for journey in ASKED)


@pytest.fixture
async def gateway() -> AsyncIterator[FakeGateway]:
    async with running() as gateway:
        yield gateway


def instance(gateway: FakeGateway) -> Instance:
    return Instance(gateway.url, API_KEY, "127.0.0.1:9092", "catalogue")


async def run(gateway: FakeGateway, order: Order = ORDER) -> tuple[Report, str]:
    shown = io.StringIO()
    return await perform(order, instance(gateway), shown), shown.getvalue()


async def test_every_booking_gets_the_outcome_its_journey_asks_for(gateway: FakeGateway) -> None:
    report, shown = await run(gateway)
    assert KINDS.keys() == MIX.keys()
    assert report.clean, report.errors
    assert report.kinds == KINDS
    assert (report.bookings, report.accepted, report.unresolved) == (400, 400, 0)
    races, waits = KINDS["race"] // 2, KINDS["waitlist"]
    assert report.races == {"one_winner": races, "sold_before": 0, "sold_twice": 0}
    missed = sum(each["status"] == "NO_SHOW" for each in gateway.bookings.values())
    came = KINDS["stay"] + KINDS["early"]
    gone = {
        "CANCELLED": KINDS["cancel"] + KINDS["policy"] + waits,
        "REJECTED": KINDS["decline"] + KINDS["closed"] + races,
        "COMPLETED": came,
        "NO_SHOW": missed,
    }
    assert missed > 0
    assert report.reasons["card_declined"] == KINDS["decline"]
    assert report.outcomes == {**gone, "CONFIRMED": 400 - sum(gone.values()), "EXPIRED": 0}
    changed = [booking for booking in gateway.bookings.values() if booking.get("revision")]
    assert len(changed) == KINDS["change"] + KINDS["dearer"]
    assert shown.count("first booking CONFIRMED: RSV-2026-") == 1


async def test_the_units_are_declared_before_anything_is_booked(gateway: FakeGateway) -> None:
    await run(gateway, replace(ORDER, duration=0.01))
    declared = {where: unit["capacity"] for where, unit in gateway.house.units.items()}
    assert declared == {(unit.property_id, unit.unit_type): unit.capacity for unit in UNITS}


@pytest.mark.parametrize("kind", ["quote", "dearer", "policy", "early", "refund", "waitlist", "closed", "no_show"])
async def test_a_rule_that_does_not_hold_is_an_error_of_its_journeys(gateway: FakeGateway, kind: str) -> None:
    gateway.house.broken = {kind}
    report, _ = await run(gateway)
    assert report.errors
    assert all(error.startswith(f"{kind} ") for error in report.errors), report.errors
    assert report.unresolved == 0


async def test_what_cannot_be_served_now_is_sent_again_under_its_key(gateway: FakeGateway) -> None:
    gateway.unavailable, gateway.cut_off = 5, 3
    report, _ = await run(gateway)
    assert report.clean, report.errors
    assert report.retries["HTTP 503"] == 5
    assert sum(report.retries.values()) == 8
    assert len(gateway.bookings) == report.accepted == 400
    # Who accepts what was offered posts no reservation.
    assert gateway.posts == 408 - KINDS["waitlist"]


async def test_some_bookings_are_requested_again_and_are_one_all_the_same(gateway: FakeGateway) -> None:
    report, _ = await run(gateway, replace(ORDER, duration=0.2, again=0.5))
    assert report.clean, report.errors
    assert len(gateway.bookings) == report.accepted == 80
    # About half of them, once to four times more.
    assert 130 < gateway.posts < 280


async def test_a_request_that_is_answered_otherwise_the_second_time_is_an_error(gateway: FakeGateway) -> None:
    gateway.forgets_keys = True
    report, _ = await run(gateway, replace(ORDER, duration=0.05, again=1.0))
    assert not report.clean
    assert any("sent again, was answered with" in error for error in report.errors)


async def test_who_comes_too_late_for_the_last_room_waits_and_leaves(gateway: FakeGateway) -> None:
    await run(gateway)
    report, _ = await run(gateway)
    assert report.clean, report.errors
    assert "WITHDRAWN" in {entry["status"] for entry in gateway.desk.entries.values()}


async def test_two_runs_of_one_seed_book_twice(gateway: FakeGateway) -> None:
    await run(gateway, replace(ORDER, duration=0.1))
    await run(gateway, replace(ORDER, duration=0.1))
    assert len(gateway.bookings) == 80


async def test_latency_counts_from_the_time_a_booking_was_due(gateway: FakeGateway) -> None:
    gateway.unavailable = 1
    report, _ = await run(gateway, replace(ORDER, duration=0.005))
    assert report.accept_ms is not None
    assert report.accept_ms.max >= 10  # what the 503 asked for


async def test_every_acknowledged_booking_is_journalled(gateway: FakeGateway, tmp_path: Path) -> None:
    journal = tmp_path / "accepted.jsonl"
    order = replace(ORDER, duration=0.1, journal=journal)
    await run(gateway, order)
    await run(gateway, order)
    lines = [json.loads(line) for line in journal.read_text().splitlines()]
    assert {line["booking_id"] for line in lines} == gateway.bookings.keys()
    assert {line["key"] for line in lines} == gateway.bookings.keys()
    assert all(line.keys() == {"booking_id", "key", "time", "confirmation_number"} for line in lines)


async def test_a_booking_without_an_outcome_is_unresolved(gateway: FakeGateway) -> None:
    gateway.forgets_outcomes = True
    report, _ = await run(gateway, replace(ORDER, duration=0.01, patience=0.2))
    assert (report.accepted, report.unresolved, report.clean) == (4, 4, False)
    assert "still PENDING" in report.errors[0]


async def test_a_declined_card_that_pays_is_an_error(gateway: FakeGateway) -> None:
    gateway.approves_everything = True
    report, _ = await run(gateway)
    assert (report.error_count, report.clean) == (KINDS["decline"], False)


async def test_a_unit_that_is_sold_twice_is_an_error(gateway: FakeGateway) -> None:
    gateway.sells_twice = True
    report, _ = await run(gateway)
    assert report.races["sold_twice"] == report.error_count > 0
    assert "sold 2 times" in report.errors[0]


async def test_a_refusal_is_an_error_and_not_sent_again(gateway: FakeGateway) -> None:
    gateway.refuses = True
    report, _ = await run(gateway, replace(ORDER, duration=0.01))
    assert (gateway.posts, report.accepted, report.not_accepted, report.error_count) == (4, 0, 4, 4)
    assert "HTTP 422: check_in: is in the past" in report.errors[0]


async def test_a_cancellation_that_takes_a_moment_is_waited_for(gateway: FakeGateway) -> None:
    gateway.cancels_later = True
    report, _ = await run(gateway)
    assert report.clean, report.errors
    assert report.outcomes["CANCELLED"] > 0


async def test_a_change_that_finds_its_nights_taken_is_no_error(gateway: FakeGateway) -> None:
    gateway.changes_nothing, gateway.unpaid = True, 3
    report, _ = await run(gateway)
    assert report.clean, report.errors
    assert report.outcomes["COMPLETED"] > 0


async def test_a_wrong_key_is_said_so(gateway: FakeGateway) -> None:
    wrong = Instance(gateway.url, "wrong", "", "catalogue")
    with pytest.raises(Problem, match="HTTP 401: Who are you"):
        await perform(ORDER, wrong, io.StringIO())


async def test_an_instance_that_is_not_there_is_said_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(demo, "_FIRST_CONTACT", 0.1)
    with socket.socket() as nobody:  # bound, and nobody listens
        nobody.bind(("127.0.0.1", 0))
        missing = Instance(f"http://127.0.0.1:{nobody.getsockname()[1]}", API_KEY, "", "catalogue")
        with pytest.raises(Problem, match="is `vacancy up` running"):
            await perform(ORDER, missing, io.StringIO())


async def test_a_journal_that_cannot_be_written_is_said_so(gateway: FakeGateway, tmp_path: Path) -> None:
    with pytest.raises(Misuse, match="--journal"):
        await run(gateway, replace(ORDER, journal=tmp_path))


def test_an_outcome_that_contradicts_its_journey_is_unexpected() -> None:
    journeys = {journey.kind: journey for journey in ASKED}
    confirmed = Booking("b", "RSV-2026-000001", "CONFIRMED")
    rejected = Booking("b", "RSV-2026-000001", "REJECTED", "sold_out")
    assert unexpected(journeys["decline"], confirmed)
    assert unexpected(journeys["cancel"], confirmed)
    assert not unexpected(journeys["book"], confirmed)
    assert not unexpected(journeys["book"], rejected)
    assert not unexpected(journeys["decline"], rejected)
    assert unexpected(journeys["closed"], confirmed)
    closed = replace(journeys["closed"], closed="stop_sell")
    assert not unexpected(closed, Booking("b", "RSV-2026-000001", "REJECTED", "stop_sell"))
    assert "not REJECTED for stop_sell" in (unexpected(closed, rejected) or "")


STAY = Stay(
    property_id=PLENTY[0].property_id,
    unit_type=PLENTY[0].unit_type,
    check_in=date(2026, 6, 1),
    check_out=date(2026, 6, 3),
    email="ada@example.com",
    first_name="Ada",
    last_name="Lovelace",
    token="tok_slow",
)
WISH = Stays().wish(STAY)


async def test_the_client_books_waits_and_cancels(gateway: FakeGateway) -> None:
    async with open_session() as session:
        client = GatewayClient(session, gateway.url + "/", API_KEY, patience=5)
        await Stays().declare(client)
        accepted = await client.book(WISH, key="one")
        assert accepted == await client.book(WISH, key="one")
        assert (await client.get(WISH.path, accepted.booking_id)).status == "PENDING"
        assert (await client.outcome(WISH.path, accepted.booking_id)).status == "CONFIRMED"
        assert (await client.cancel(WISH.path, accepted.booking_id, "ill", key="two")).reason == "ill"
    assert gateway.bookings["one"]["asked"]["check_out"] == "2026-06-03"


async def test_the_clients_patience_ends(gateway: FakeGateway) -> None:
    retries: list[str] = []
    async with open_session() as session:
        client = GatewayClient(session, gateway.url, API_KEY, patience=0.1, on_retry=retries.append)
        await Stays().declare(client)
        gateway.unavailable = 1_000
        with pytest.raises(Unreachable, match="HTTP 503"):
            await client.book(WISH, key="one")
        assert retries
        gateway.unavailable, gateway.forgets_outcomes = 0, True
        accepted = await client.book(WISH, key="one")
        with pytest.raises(NoOutcome):
            await client.outcome(WISH.path, accepted.booking_id)
        with pytest.raises(Refused) as caught:
            await GatewayClient(session, gateway.url, "wrong").get(WISH.path, accepted.booking_id)
        assert caught.value.status == 401


class Program:
    """`vacancy demo` as a process of its own, so that signals reach it alone."""

    def __init__(self, gateway: FakeGateway, *arguments: str) -> None:
        self._command = [sys.executable, "-m", "cli.main", "demo", "--url", gateway.url, *arguments]

    async def __aenter__(self) -> asyncio.subprocess.Process:
        self._process = await asyncio.create_subprocess_exec(
            *self._command, env={**os.environ, "VACANCY_API_KEY": API_KEY}, stdout=-1, stderr=-1
        )
        return self._process

    async def __aexit__(self, *_: object) -> None:
        if self._process.returncode is None:
            self._process.kill()
            await self._process.communicate()


async def test_the_command_prints_a_report_for_programs(gateway: FakeGateway) -> None:
    async with Program(gateway, "--rate", "100", "--duration", "0.5", "--seed", "7", "--json") as process:
        out, err = await process.communicate()
        assert process.returncode == 0, err
    assert json.loads(out)["accepted"] == 50
    assert b"first booking CONFIRMED" in err


async def test_the_command_fails_when_something_was_odd(gateway: FakeGateway) -> None:
    gateway.refuses = True
    async with Program(gateway, "--rate", "100", "--duration", "0.1", "--seed", "460") as process:
        out, _ = await process.communicate()
        assert process.returncode == 1
    assert b"errors      10" in out


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
async def test_a_run_without_end_is_stopped_by_hand_and_reports(gateway: FakeGateway, how: signal.Signals) -> None:
    async with Program(gateway, "--rate", "50", "--seed", "3") as process:
        assert process.stdout is not None
        assert (await process.stdout.readline()).startswith(b"first booking CONFIRMED")
        process.send_signal(how)
        out, err = await process.communicate()
        assert process.returncode == 0, err
    assert b"bookings accepted in" in out


async def test_the_command_says_where_it_looked_for_an_instance(tmp_path: Path) -> None:
    for arguments in (["--data", str(tmp_path)], ["--url", "127.0.0.1:8080"]):
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "cli.main", "demo", *arguments, stdout=-1, stderr=-1
        )
        _, err = await process.communicate()
        assert process.returncode == 2
        assert err.count(b"\n") == 1
        assert arguments[1].encode() in err
