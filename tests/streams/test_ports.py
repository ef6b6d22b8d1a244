"""Ports: remembered, preferred, free."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Iterator
from pathlib import Path

from streams import ports


@contextlib.contextmanager
def _listening() -> Iterator[int]:
    with contextlib.closing(socket.create_server(("127.0.0.1", 0))) as server:
        yield int(server.getsockname()[1])


def test_the_preferred_one_if_it_is_free(tmp_path: Path) -> None:
    wanted = ports.any_free()
    assert ports.choose(tmp_path / "ports.json", "broker", wanted) == wanted


def test_another_one_if_it_is_not(tmp_path: Path) -> None:
    with _listening() as taken:
        chosen = ports.choose(tmp_path / "ports.json", "broker", taken)
    assert chosen != taken
    assert ports.is_free(chosen)


def test_the_one_it_had_before_comes_first(tmp_path: Path) -> None:
    first = ports.choose(tmp_path / "ports.json", "broker")
    assert ports.choose(tmp_path / "ports.json", "broker", ports.any_free({first})) == first


def test_nobody_gets_what_another_is_noted_for(tmp_path: Path) -> None:
    first = ports.choose(tmp_path / "ports.json", "broker")
    assert ports.choose(tmp_path / "ports.json", "controller", first) != first


def test_a_damaged_note_is_no_note(tmp_path: Path) -> None:
    (tmp_path / "ports.json").write_text('["a"]', "utf-8")
    assert ports.is_free(ports.choose(tmp_path / "ports.json", "broker"))
