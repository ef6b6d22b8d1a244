"""A database of each kind: SQLite always, PostgreSQL where Debian's package is installed."""

from __future__ import annotations

import asyncio
import os
import pwd
import shutil
import socket
import subprocess
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from sqlalchemy import make_url

from projections.columns import METADATA
from projections.database import Database, open_database


class Postgres:
    """A private cluster on a free port of loopback. Owned by the user `postgres` where we are root, whom it refuses."""

    def __init__(self, binaries: Path) -> None:
        self.directory = Path(tempfile.mkdtemp(prefix="vacancy-postgres-"))
        self._binaries = binaries
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            self.port = taken.getsockname()[1]
        if os.getuid() == 0:
            user = pwd.getpwnam("postgres")
            os.chown(self.directory, user.pw_uid, user.pw_gid)
        self._run("initdb", "--auth=trust", "--username=vacancy", "--no-sync", "--encoding=UTF8", "-D", self._data)

    @property
    def url(self) -> str:
        return f"postgresql+asyncpg://vacancy@127.0.0.1:{self.port}/postgres"

    def start(self) -> None:
        settings = f"-p {self.port} -c listen_addresses=127.0.0.1 -c unix_socket_directories='' -c fsync=off"
        self._run("pg_ctl", "-w", "-D", self._data, "-l", str(self.directory / "log"), "-o", settings, "start")

    def stop(self) -> None:
        self._run("pg_ctl", "-w", "-m", "immediate", "-D", self._data, "stop")

    def remove(self) -> None:
        shutil.rmtree(self.directory, ignore_errors=True)

    @property
    def _data(self) -> str:
        return str(self.directory / "data")

    def _run(self, program: str, *arguments: str) -> None:
        command = [str(self._binaries / program), *arguments]
        if os.getuid() == 0:
            command = ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups", *command]
        subprocess.run(command, cwd=self.directory, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    binaries = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    found = binaries[-1] if binaries else shutil.which("initdb")
    if found is None:
        pytest.skip("no PostgreSQL here: apt-get install postgresql")
    server = Postgres(Path(found).parent)
    server.start()
    try:
        yield server
    finally:
        server.stop()
        server.remove()


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated SQLite file: every test's is a copy, for migrations take longer than most tests."""
    path = tmp_path_factory.mktemp("template") / "projections.sqlite"

    async def made() -> None:
        database = open_database(make_url(f"sqlite+aiosqlite:///{path}"))
        await database.migrate()
        await database.close()

    asyncio.run(made())
    return path


@pytest.fixture(params=["sqlite", "postgresql"])
async def database(request: pytest.FixtureRequest, template: Path, tmp_path: Path) -> AsyncIterator[Database]:
    """An empty one, migrated."""
    if request.param == "sqlite":
        found = open_copy(template, tmp_path / "projections.sqlite")
    else:
        found = open_database(make_url(request.getfixturevalue("postgres").url))
        await found.migrate()
        async with found.engine.begin() as connection:
            for table in METADATA.sorted_tables:
                await connection.execute(table.delete())
    yield found
    await found.close()


def open_copy(template: Path, path: Path) -> Database:
    """A SQLite database of its own, empty and migrated."""
    shutil.copy(template, path)
    return open_database(make_url(f"sqlite+aiosqlite:///{path}"))
