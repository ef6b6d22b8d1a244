"""Free loopback ports for the inner parts, remembered in a file so that a restart uses the same ones.

New ones are taken below the range outgoing connections get theirs from: a client that keeps knocking at a broker which
is down could otherwise be given the broker's port, and hold it.
"""

from __future__ import annotations

import contextlib
import json
import random
import socket
from collections.abc import Collection
from pathlib import Path

_LOOPBACK = "127.0.0.1"
_LOWEST, _HIGHEST = 20000, 32000


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


def choose(file: Path, name: str, preferred: int | None = None) -> int:
    """The port of `name`: the one it had before, else the preferred one, else any; the first that is free, noted."""
    noted = _read(file)
    others = {port for owner, port in noted.items() if owner != name}
    wishes = [port for port in (noted.get(name), preferred) if port is not None]
    port = next((port for port in wishes if port not in others and is_free(port)), None) or any_free(others)
    if noted.get(name) != port:
        file.parent.mkdir(parents=True, exist_ok=True)
        fresh = file.with_name(f".{file.name}.new")
        fresh.write_text(json.dumps({**noted, name: port}), "utf-8")
        fresh.replace(file)
    return port


def any_free(taken: Collection[int] = ()) -> int:
    """Some free port that is not among `taken`."""
    for _ in range(1000):
        port = random.randint(_LOWEST, _HIGHEST)
        if port not in taken and is_free(port):
            return port
    raise OSError(f"no free port between {_LOWEST} and {_HIGHEST} on {_LOOPBACK}")


def _read(file: Path) -> dict[str, int]:
    try:
        return {str(name): int(port) for name, port in json.loads(file.read_text("utf-8")).items()}
    except (OSError, ValueError, AttributeError, TypeError):
        return {}
