"""The database of the projections: which one the settings name, how it is connected to, and its migrations.

SQLite in the instance's directory by default, PostgreSQL by `database_url`. The same statements are made for both; on
SQLite the names of schemas fall away.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import asyncpg
from alembic import command
from alembic.config import Config
from sqlalchemy import URL, Connection, event, make_url, text
from sqlalchemy.exc import ArgumentError, DataError, DBAPIError, SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from config.settings import Settings, SettingsError
from projections.schema import SCHEMAS

FILE_NAME = "projections.sqlite"
#: What a database that is down, locked or full makes of a statement.
DOWN = (SQLAlchemyError, OSError, TimeoutError)
_BUSY_S = 5
_CONNECT_S = 5
#: How long a list may take: who asked for it does not wait longer.
_READ_S = 3
_WRITE_S = 60
#: Held on PostgreSQL while migrating, so that two processes that start at once do it one after the other.
_MIGRATION_LOCK = 0x56414341


@dataclass(frozen=True, slots=True)
class Database:
    """An engine, and what it may be asked. `close` lets go of its connections."""

    engine: AsyncEngine
    name: str

    @property
    def sqlite(self) -> bool:
        return self.engine.dialect.name == "sqlite"

    async def close(self) -> None:
        await self.engine.dispose()

    async def migrate(self) -> None:
        """Brings the tables to this version's. Raises what is in DOWN."""
        async with self.engine.connect() as connection:
            await connection.run_sync(_upgrade)


def url_of(settings: Settings) -> URL | None:
    """Where the settings have the projections; None where there are to be none. Raises SettingsError."""
    given = settings.database_url.get_secret_value() if settings.database_url is not None else None
    if given == "none":
        return None
    if given is None:
        return URL.create("sqlite+aiosqlite", database=str(settings.data.resolve() / FILE_NAME))
    try:
        url = make_url(given)
    except ArgumentError:
        url = URL.create("unknown")
    backend = url.get_backend_name()
    if backend == "sqlite" and url.database:
        return url.set(drivername="sqlite+aiosqlite")
    if backend in ("postgresql", "postgres") and url.database:
        return url.set(drivername="postgresql+asyncpg")
    raise SettingsError("database_url: should be postgresql://USER:PASSWORD@HOST:PORT/NAME, sqlite:///FILE or none")


def is_about_the_data(error: Exception) -> bool:
    """Whether a statement failed because of what was to be written, and would fail again."""
    if isinstance(error, OverflowError | DataError):
        return True
    cause = error.orig.__cause__ if isinstance(error, DBAPIError) and error.orig is not None else None
    return isinstance(cause, asyncpg.DataError | asyncpg.exceptions.DataError)


def open_database(url: URL, *, read_only: bool = False) -> Database:
    """An engine on a URL of `url_of`; nothing is connected yet."""
    named = url.render_as_string(hide_password=True).replace("+aiosqlite", "").replace("+asyncpg", "")
    if url.get_backend_name() == "sqlite":
        return Database(_sqlite(url, read_only), named)
    session = {"application_name": "vacancy", **({"default_transaction_read_only": "on"} if read_only else {})}
    patience = _READ_S if read_only else _WRITE_S
    engine = create_async_engine(
        url,
        pool_pre_ping=True,
        pool_size=2,
        pool_timeout=_CONNECT_S,
        connect_args={
            "timeout": _CONNECT_S,
            "command_timeout": patience,
            "server_settings": session,
        },
    )
    return Database(engine, named)


def _sqlite(url: URL, read_only: bool) -> AsyncEngine:
    path = Path(str(url.database))
    mode = "ro" if read_only else "rwc"
    opened = url.set(database=f"file:{path}", query={"mode": mode, "uri": "true"})
    engine = create_async_engine(
        opened,
        connect_args={"timeout": _BUSY_S},
        execution_options={"schema_translate_map": dict.fromkeys(SCHEMAS)},
    )

    @event.listens_for(engine.sync_engine, "connect")
    def _set(connection: Any, record: Any) -> None:
        if not read_only:
            # Before anything is in it: guests' bookings are nobody else's business on this machine.
            path.chmod(0o600)
            cursor = connection.cursor()
            cursor.execute("PRAGMA journal_mode=WAL")
            cursor.execute("PRAGMA synchronous=NORMAL")
            cursor.close()

    return engine


def reason(error: BaseException) -> str:
    """What is wrong with a database, in one line without the statement and its values."""
    cause = error.orig if isinstance(error, DBAPIError) and error.orig is not None else error
    said = " ".join(str(cause).split())[:200]
    return said.removeprefix("<class 'asyncpg.exceptions.").replace("Error'>", "") or type(cause).__name__


def _upgrade(connection: Connection) -> None:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    config.attributes["connection"] = connection
    # Alembic says every step at level INFO of its own logger.
    logging.getLogger("alembic").setLevel(logging.WARNING)
    with connection.begin():
        if connection.dialect.name == "sqlite":
            connection.exec_driver_sql("BEGIN IMMEDIATE")
        else:
            connection.execute(text(f"SELECT pg_advisory_xact_lock({_MIGRATION_LOCK})"))
            for schema in SCHEMAS:
                connection.execute(text(f"CREATE SCHEMA IF NOT EXISTS {schema}"))
        command.upgrade(config, "head")


async def one(connection: AsyncConnection, statement: Any) -> Any:
    """The first row of an answer, or None."""
    return (await connection.execute(statement)).first()
