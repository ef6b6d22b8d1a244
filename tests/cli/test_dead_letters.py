"""`vacancy dlq`: what it prints and how it ends, at a desk whose letters lie in memory."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

import cli.dead_letter_work as work
from cli.dead_letters import app
from cli.problem import Problem
from streams.dead_letters import Letter, dead_letter
from streams.layout import load_layout
from streams.letter_desk import Desk
from streams.letters import Filter
from streams.log import LogUnavailable
from streams.services import BOOKING
from tests.memory_letters import MemoryLetters
from tests.memory_log import MemoryLog, Stored

INBOX = BOOKING.inbox


class Letters(MemoryLetters):
    async def stop(self) -> None:
        """Nothing is open."""


class Dlq:
    """The command, and the letters it finds."""

    def __init__(self, data: Path) -> None:
        self.letters = Letters(MemoryLog())
        self._data = str(data)

    def bury(self, value: bytes, replays: int = 0) -> None:
        headers = (("vacancy-replays", b"%d" % replays),) if replays else ()
        origin = Stored(INBOX, 1, 0, 1, b"k", value, headers)
        letter = dead_letter(origin, reason="no JSON", kind="undecodable", group="booking-group")
        self.letters.log.append(f"{INBOX}.dlq", 0, letter)

    def __call__(self, *arguments: str, code: int = 0, answer: str | None = None) -> str:
        ran = CliRunner().invoke(app, [*arguments, "--data", self._data], input=answer)
        if isinstance(ran.exception, Problem):
            assert ran.exception.exit_code == code, ran.exception
            return str(ran.exception)
        assert ran.exit_code == code, ran.output
        return ran.output

    def said(self, *arguments: str, code: int = 0) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self(*arguments, "--json", code=code))
        return found


@pytest.fixture
def dlq(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Dlq:
    made = Dlq(tmp_path)
    monkeypatch.setattr(work, "KafkaLetters", lambda bootstrap: made.letters)
    monkeypatch.setattr(
        "cli.instance.joined", lambda settings: settings.model_copy(update={"broker": "kafka://127.0.0.1:9"})
    )
    for number in range(3):
        made.bury(b'{"n": %d}' % number)
    return made


def test_letters_are_listed_a_line_each_with_ids_that_can_be_copied(dlq: Dlq) -> None:
    lines = dlq("list", "--limit", "2").splitlines()
    assert lines[-1] == "2 letters, and there are more: see --limit"
    assert [line.split()[1] for line in lines if INBOX in line] == [f"{INBOX}/0", f"{INBOX}/1"]
    listed = dlq.said("list", "--class", "undecodable", "--reason", "no json", "--key", "k", "--group", "booking-group")
    assert [(each["letter"], each["status"]) for each in listed["letters"]] == [
        (f"{INBOX}/{n}", "open") for n in (0, 1, 2)
    ]
    assert dlq.said("list", "--status", "dropped") == {"letters": [], "more": False}


def test_a_letter_is_shown_with_its_bytes(dlq: Dlq) -> None:
    dlq.bury(b"\xffpoison")
    shown = dlq("show", f"{INBOX}/0")
    assert f"{INBOX}/0: open" in shown
    assert '"n": 0' in shown
    assert "ff 70 6f 69 73 6f 6e" in dlq("show", f"{INBOX}/3")
    assert dlq.said("show", f"{INBOX}/3")["value_base64"] == "/3BvaXNvbg=="


def test_an_edited_copy_is_replayed_and_all_of_it_is_written_down(dlq: Dlq) -> None:
    assert dlq.said("edit", f"{INBOX}/0", "--set", "n=7", "--set", "s=a b") == {
        "letter": f"{INBOX}/0",
        "copy": f"{INBOX}/3",
    }
    assert dlq("replay", f"{INBOX}/3", "--yes", "--note", "a typo").endswith("1 replayed\n")
    assert [each.value for each in dlq.letters.log.read(INBOX, 1)] == [b'{"n":7,"s":"a b"}']
    assert f"{INBOX}/3: it was replayed before" in dlq("replay", f"{INBOX}/3", "--yes", code=1)
    assert dlq("drop", f"{INBOX}/3", "--yes", "--force").endswith("1 dropped\n")
    log = dlq("log").splitlines()
    assert [line.split()[1:3] for line in log] == [
        [f"{INBOX}/0", "edited"],
        [f"{INBOX}/3", "replayed"],
        [f"{INBOX}/3", "dropped"],
    ]
    assert log[1].endswith("replay 1: a typo")


def test_a_dry_run_names_what_it_would_do_and_does_nothing(dlq: Dlq) -> None:
    dlq.bury(b"x", replays=3)
    told = dlq("replay", "--status", "all", "--dry-run", code=1).splitlines()
    assert told[:3] == [f"{INBOX}/{n}: would be replayed" for n in range(3)]
    assert told[3].startswith(f"{INBOX}/3: it failed again after 3 replays")
    assert told[4] == "3 would be replayed, 1 refused"
    assert (dlq.letters.log.read(INBOX, 1), dlq("log")) == ([], "")


def test_who_does_not_agree_has_nothing_done(dlq: Dlq) -> None:
    assert "1 letter is to be dropped: go on?" in dlq("drop", f"{INBOX}/1", answer="n\n", code=1)
    assert "3 letters are to be dropped: go on?" in dlq("drop", answer="n\n", code=1)
    assert dlq("log") == ""
    assert "3 dropped" in dlq("drop", answer="y\n")


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["show", "nonsense"], 1, "nonsense: there is no such letter"),
        (["show", f"{INBOX}/9"], 1, "there is no such letter"),
        (["replay", f"{INBOX}/9", "--yes"], 1, "there is no such letter"),
        (["replay", INBOX, "--yes"], 2, "a letter is TOPIC/OFFSET"),
        (["replay", "--key", "nobody", "--yes"], 1, "no letter is meant"),
        (["drop", "--until", "1999-01-01", "--json"], 1, "no letter is meant"),
        (["list", "--topic", "nonsense"], 2, "--topic nonsense"),
        (["replay", "--topic", "nonsense", "--yes"], 2, "--topic nonsense"),
        (["list", "--class", "bogus"], 2, "--class bogus: should be one of"),
        (["list", "--status", "bogus"], 2, "--status bogus: should be one of"),
        (["list", "--since", "yesterday"], 2, "--since yesterday: should be a time"),
        (["edit", f"{INBOX}/0"], 2, "--set FIELD=VALUE"),
        (["edit", f"{INBOX}/0", "--set", "x"], 2, "--set x: should be FIELD=VALUE"),
        (["edit", f"{INBOX}/0", "--set", "a.b=1"], 2, "--set a.b: there is no 'a' on the way"),
    ],
    ids=lambda each: " ".join(each) if isinstance(each, list) else "",
)
def test_what_is_asked_wrongly_is_named(dlq: Dlq, arguments: list[str], code: int, said: str) -> None:
    assert said in dlq(*arguments, code=code)
    assert dlq("log") == ""


def test_a_broker_that_is_away_is_said(dlq: Dlq, monkeypatch: pytest.MonkeyPatch) -> None:
    async def away(desk: Desk) -> None:
        raise LogUnavailable("no connection")

    monkeypatch.setattr(Desk, "catch_up", away)
    assert "does not answer" in dlq("list", code=1)


async def test_a_rate_holds_back(dlq: Dlq, monkeypatch: pytest.MonkeyPatch) -> None:
    """So many at once as a second may have, and then the rest of that second is waited for."""
    now, pauses = 100.0, list[tuple[int, float]]()

    async def sleep(pause: float) -> None:
        nonlocal now
        pauses.append((len(dlq.letters.log.read(INBOX, 1)), pause))
        now += pause

    monkeypatch.setattr("streams.letter_desk.asyncio.sleep", sleep)
    monkeypatch.setattr(asyncio.get_running_loop(), "time", lambda: now)
    desk = Desk(dlq.letters, load_layout("catalogue"))
    for _ in range(2):
        dlq.bury(b"x")

    async def all_open() -> AsyncGenerator[Letter, None]:
        async for each in desk.look_through(Filter()):
            yield each.letter

    outcomes = [each async for each in desk.answer(all_open(), "replayed", by="ada", rate=2.0)]
    assert (len(outcomes), pauses) == (5, [(2, 1.0), (4, 1.0)])
