"""Ports: remembered, preferred, free."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from streams import ports


@contextlib.contextmanager
def _listening() -> Iterator[int]:
    with contextlib.closing(socket.create_server(("127.0.0.1", 0))) as server:
        yield int(server.getsockname()[1])


@pytest.fixture
def choose(tmp_path: Path) -> Iterator[Callable[..., ports.Held]]:
    """`ports.choose` in a file of this test; what it chose is released at the end."""
    held: list[ports.Held] = []

    def chosen(name: str, preferred: int | None = None, file: str = "ports.json") -> ports.Held:
        held.append(ports.choose(tmp_path / file, name, preferred))
        return held[-1]

    yield chosen
    for one in held:
        one.release()


Choose = Callable[..., ports.Held]


def test_the_preferred_one_if_it_is_free(choose: Choose) -> None:
    wanted = ports.any_free()
    assert choose("broker", wanted).port == wanted


def test_another_one_if_it_is_not(choose: Choose) -> None:
    with _listening() as taken:
        chosen = choose("broker", taken).port
    assert chosen != taken
    assert ports.is_free(chosen)


def test_the_one_it_had_before_comes_first(choose: Choose) -> None:
    first = choose("broker")
    first.release()
    assert choose("broker", ports.any_free({first.port})).port == first.port


def test_nobody_gets_what_another_is_noted_for(choose: Choose) -> None:
    first = choose("broker")
    first.release()
    assert choose("controller", first.port).port != first.port


def test_a_port_stays_spoken_for_while_nothing_listens_there(choose: Choose) -> None:
    ours = choose("broker")
    assert ports.is_free(ours.port)
    assert choose("broker", ours.port, "of-another-instance.json").port != ours.port


def test_its_owner_can_listen_there(choose: Choose) -> None:
    ours = choose("broker")
    with contextlib.closing(socket.create_server(("127.0.0.1", ours.port))):
        assert not ports.is_free(ours.port)


def test_a_damaged_note_is_no_note(choose: Choose, tmp_path: Path) -> None:
    (tmp_path / "ports.json").write_text('["a"]', "utf-8")
    assert ports.is_free(choose("broker").port)
