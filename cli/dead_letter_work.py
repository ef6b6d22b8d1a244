"""What the `vacancy dlq` commands do at the desk of dead letters, on Kafka itself."""

from __future__ import annotations

import getpass
import logging
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeVar

import msgspec
import typer

from cli import instance
from cli.loop import run
from cli.options import given
from cli.problem import Misuse, Problem
from cli.progress import bar_of
from config.layers import load
from streams.dead_letters import Letter
from streams.events.control import LetterAction
from streams.layout import load_layout
from streams.letter_desk import Desk, Found, Outcome
from streams.letter_log import KafkaLetters
from streams.letters import Filter
from streams.log import LogUnavailable

_T = TypeVar("_T")


@dataclass(frozen=True, kw_only=True)
class Order:
    """What is to be done to many letters, and how carefully."""

    action: LetterAction
    wanted: Filter
    note: str
    rate: float | None = None
    dry_run: bool = False
    force: bool = False
    #: Nobody is asked.
    yes: bool = False


async def carry_out(desk: Desk, order: Order) -> list[Outcome]:
    """Looks first, asks, and then does it: to exactly those letters that were found."""
    letters = [each.letter for each in await collect(desk, order.wanted, None)]
    missing = (order.wanted.ids or frozenset()) - {each.id for each in letters}
    if missing:
        raise Problem(f"{min(missing)}: there is no such letter")
    if not letters:
        raise Problem(
            "no letter is meant: `vacancy dlq list` takes the same filters, --status all shows what was handled"
        )
    if order.dry_run:
        return [Outcome(each, desk.objection(each, order.action, force=order.force)) for each in letters]
    if not order.yes:
        counted = "1 letter is" if len(letters) == 1 else f"{len(letters)} letters are"
        typer.confirm(f"{counted} to be {order.action}: go on?", abort=True)
    outcomes = []
    again = desk.look_through(replace(order.wanted, status=None, ids=frozenset(each.id for each in letters)))
    done = desk.answer(_only(again), order.action, by=by(), note=order.note, force=order.force, rate=order.rate)
    with bar_of(order.action, len(letters)) as advance:
        async with aclosing(again), aclosing(done):
            async for outcome in done:
                outcomes.append(Outcome(_light(outcome.letter), outcome.refused))
                advance()
    return outcomes


async def collect(desk: Desk, wanted: Filter, limit: int | None) -> list[Found]:
    """Without their bytes: of ten thousand letters only what is shown in a list is kept.

    Raises Misuse where the topic meant is none.
    """
    if wanted.topic is not None and wanted.topic not in desk.topics:
        raise Misuse(f"--topic {wanted.topic}: no topic of this instance has letters under this name")
    found: list[Found] = []
    async with aclosing(desk.look_through(wanted)) as letters:
        async for each in letters:
            if each.wanted:
                found.append(Found(_light(each.letter), each.status))
            if limit is not None and len(found) >= limit:
                break
    return found


async def get(desk: Desk, letter_id: str) -> Found:
    """Raises Problem where there is no such letter."""
    found = await desk.get(letter_id)
    if found is None:
        raise Problem(f"{letter_id}: there is no such letter; `vacancy dlq list` shows them as TOPIC/OFFSET")
    return found


def at_desk(data: Path, config: Path | None, work: Callable[[Desk], Awaitable[_T]]) -> _T:
    """What comes of work at the desk of the instance in DIR. Raises Problem where Kafka does not answer."""
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)  # what it cannot do, it raises
    settings = instance.joined(load(given(None, data=data), config).settings)
    layout = load_layout(settings)

    async def at_work() -> _T:
        log = KafkaLetters(settings.bootstrap)
        try:
            return await work(Desk(log, layout))
        finally:
            await log.stop()

    try:
        return run(at_work())
    except LogUnavailable as error:
        raise Problem(f"Kafka at {settings.broker} does not answer ({error}): is it running?") from None


def by() -> str:
    """Who is written down."""
    return f"{getpass.getuser()} (command)"


async def _only(found: AsyncGenerator[Found, None]) -> AsyncGenerator[Letter, None]:
    async for each in found:
        if each.wanted:
            yield each.letter


def _light(letter: Letter) -> Letter:
    return msgspec.structs.replace(letter, value=None, ours=())
