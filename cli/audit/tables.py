"""Reads the SQL projections for the audit, in statements of its own."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

from sqlalchemy import make_url, text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import create_async_engine

from cli.audit.broker import CannotAuditError
from cli.audit.facts import Tables


async def read_tables(data: Path, given: str | None) -> Tables | None:
    """What the database of an instance has; None where there is none. `given`: its URL, if not DIR/projections.sqlite.

    Raises CannotAuditError when it does not answer.
    """
    path = (data / "projections.sqlite").resolve()
    if given == "none" or (given is None and not path.is_file()):
        return None
    url = make_url(given or f"sqlite:///{path}")
    sqlite = url.get_backend_name() == "sqlite"
    engine = create_async_engine(url.set(drivername="sqlite+aiosqlite" if sqlite else "postgresql+asyncpg"))
    reference, reservations, payments, availability = (
        ("", "", "", "") if sqlite else ("reference.", "reservations.", "payments.", "availability.")
    )
    found = Tables()
    try:
        async with engine.connect() as connection:
            asked = f"SELECT topic, partition, decided FROM {reference}watermarks"
            for row in await connection.execute(text(asked)):
                found.decided[row[0].split(".")[-2], row[1]] = row[2]
            for row in await connection.execute(text(f"SELECT booking_id, status FROM {reservations}bookings")):
                found.bookings[row[0]] = row[1]
            asked = f"SELECT payment_id, captured, refunded, status FROM {payments}payments"
            for row in await connection.execute(text(asked)):
                found.payments[row[0]] = Decimal(str(row[1])), Decimal(str(row[2])), row[3]
            asked = f"SELECT resource, slot, held + confirmed FROM {availability}nights"
            for row in await connection.execute(text(asked)):
                found.nights[f"{row[0]}|{row[1]}"] = row[2]
    except (SQLAlchemyError, OSError) as error:
        raise CannotAuditError(f"the projections' database cannot be read: {type(error).__name__}") from None
    finally:
        await engine.dispose()
    return found
