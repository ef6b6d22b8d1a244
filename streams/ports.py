"""Free loopback ports for the inner parts, remembered in a file so that a restart uses the same ones.

A chosen port stays spoken for while its owner lives, also in the moments when nothing listens there: otherwise another
instance could take the port of a broker that was killed just now, and be given that broker's clients. New ones are
taken below the range outgoing connections get theirs from, for the same reason.
"""

from __future__ import annotations

import contextlib
import json
import random
import socket
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path

_LOOPBACK = "127.0.0.1"
_LOWEST, _HIGHEST = 20000, 32000
_ATTEMPTS = 1000


@dataclass(frozen=True)
class Held:
    """A port that is ours until it is released, or this process ends."""

    port: int
    _hold: socket.socket

    def release(self) -> None:
        self._hold.close()


def is_free(port: int, host: str = _LOOPBACK) -> bool:
    """Whether a server could listen there now."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with contextlib.closing(socket.socket(family, socket.SOCK_STREAM)) as probe:
        # As servers do: connections that are merely closing are not in the way.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
    return True


def choose(file: Path, name: str, preferred: int | None = None) -> Held:
    """The port of `name`: the one it had before, else the preferred one, else any; the first that is free, noted."""
    noted = _read(file)
    others = {port for owner, port in noted.items() if owner != name}
    wishes = (port for port in (noted.get(name), preferred) if port is not None)
    for port in (*wishes, *_random()):
        if port not in others and (held := _take(port)) is not None:
            _note(file, noted, name, port)
            return held
    raise OSError(f"no free port between {_LOWEST} and {_HIGHEST} on {_LOOPBACK}")


def noted(file: Path, name: str) -> int | None:
    """The port that `name` was given last, None if it never was."""
    return _read(file).get(name)


def any_free(taken: Collection[int] = ()) -> int:
    """Some port that is free now and not among `taken`; nobody holds it."""
    for port in _random():
        if port not in taken and (held := _take(port)) is not None:
            held.release()
            return port
    raise OSError(f"no free port between {_LOWEST} and {_HIGHEST} on {_LOOPBACK}")


def _take(port: int) -> Held | None:
    """Holds a port if it is free and no other instance holds it.

    Whoever holds a port has the same number in UDP, which is of no use to anybody else, is given up when the process
    ends however it ends, and does not keep the server itself from listening.
    """
    hold = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    try:
        hold.bind((_LOOPBACK, port))
        if is_free(port):
            return Held(port, hold)
    except OSError:
        pass
    hold.close()
    return None


def _random() -> Iterator[int]:
    return (random.randint(_LOWEST, _HIGHEST) for _ in range(_ATTEMPTS))


def _note(file: Path, noted: dict[str, int], name: str, port: int) -> None:
    if noted.get(name) != port:
        file.parent.mkdir(parents=True, exist_ok=True)
        fresh = file.with_name(f".{file.name}.new")
        fresh.write_text(json.dumps({**noted, name: port}), "utf-8")
        fresh.replace(file)


def _read(file: Path) -> dict[str, int]:
    try:
        return {str(name): int(port) for name, port in json.loads(file.read_text("utf-8")).items()}
    except (OSError, ValueError, AttributeError, TypeError):
        return {}
