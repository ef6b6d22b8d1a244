"""Real servers for a run: each a process of ours over a directory of its own, ended with the run.

They come from the system's packages; where one is not installed, NotHere says what to install.
"""

from __future__ import annotations

import glob
import os
import shutil
import socket
import subprocess
import time
from dataclasses import dataclass, field
from pathlib import Path

from streams import ports

_READY_S = 30.0


class NotHere(Exception):
    """The machine does not have it; the text is a sentence that says what to install, or what is in the way."""


@dataclass
class Server:
    """A server on a loopback port that stays the same over restarts."""

    directory: Path
    port: int = field(default_factory=ports.any_free)
    _process: subprocess.Popen[bytes] | None = field(default=None, init=False)

    def start(self) -> None:
        """Starts it, and returns once it takes connections."""
        raise NotImplementedError

    def stop(self) -> None:
        if self._process is not None:
            self._process.terminate()
            try:
                self._process.wait(10)
            except subprocess.TimeoutExpired:
                self.kill()
            self._process = None

    def kill(self) -> None:
        """As a crash would end it."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def _run(self, words: list[str]) -> None:
        log = (self.directory / "server.log").open("ab")
        self._process = subprocess.Popen(words, stdout=log, stderr=log, stdin=subprocess.DEVNULL)
        log.close()
        end = time.monotonic() + _READY_S
        while not self._takes_connections():
            if self._process.poll() is not None or time.monotonic() > end:
                raise RuntimeError((self.directory / "server.log").read_text("utf-8", "replace")[-800:])
            time.sleep(0.02)

    def _takes_connections(self) -> bool:
        with socket.socket() as one:
            return one.connect_ex(("127.0.0.1", self.port)) == 0


@dataclass
class Redis(Server):
    """Redis without persistence, as a cache is."""

    def start(self) -> None:
        program = shutil.which("redis-server")
        if program is None:
            raise NotHere("no Redis here: apt-get install redis-server")
        self.directory.mkdir(parents=True, exist_ok=True)
        arguments = ["--port", str(self.port), "--bind", "127.0.0.1", "--save", "", "--dir", str(self.directory)]
        self._run([program, *arguments])


@dataclass
class Postgres(Server):
    """PostgreSQL with one database, `vacancy`, whose owner needs no password on loopback."""

    def start(self) -> None:
        if not (self.directory / "data" / "PG_VERSION").exists():
            self._create()
        self._run([*_AS_ITS_USER, _program("postgres"), "-D", f"{self.directory}/data", *self._arguments])

    @property
    def url(self) -> str:
        return f"postgresql://vacancy@127.0.0.1:{self.port}/vacancy"

    @property
    def _arguments(self) -> list[str]:
        # What is written need not outlive the machine, only the server.
        return ["-p", str(self.port), "-k", "", "-c", "listen_addresses=127.0.0.1", "-c", "fsync=off"]

    def _create(self) -> None:
        initdb = _program("initdb")
        self.directory.mkdir(parents=True, exist_ok=True)
        for folder in (self.directory, *self.directory.parents):
            # The server's user has to be able to go there.
            if os.geteuid() == 0 and folder.stat().st_uid == 0 and not folder.stat().st_mode & 0o001:
                folder.chmod(folder.stat().st_mode | 0o011)
        if _AS_ITS_USER:
            shutil.chown(self.directory, "postgres")
        data = str(self.directory / "data")
        asked = ["-U", "vacancy", "-A", "trust", "-E", "UTF8", "--no-sync"]
        _quietly([*_AS_ITS_USER, initdb, "-D", data, *asked])
        alone = ["--single", "-D", data, "-F", "postgres"]
        _quietly([*_AS_ITS_USER, _program("postgres"), *alone], b"CREATE DATABASE vacancy;\n")


def _quietly(words: list[str], said: bytes = b"") -> None:
    done = subprocess.run(words, input=said, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    if done.returncode:
        raise RuntimeError(f"{words[len(_AS_ITS_USER)]}: {done.stdout.decode('utf-8', 'replace')}")


#: PostgreSQL does not run as root.
_AS_ITS_USER = ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"] if os.geteuid() == 0 else []


def _program(name: str) -> str:
    """Where a program of PostgreSQL is; Debian keeps them beside the PATH. Raises NotHere."""
    found = sorted(glob.glob(f"/usr/lib/postgresql/*/bin/{name}"), reverse=True) or [shutil.which(name) or ""]
    if not found[0]:
        raise NotHere("no PostgreSQL here: apt-get install postgresql")
    return found[0]
