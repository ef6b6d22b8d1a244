"""What a kind of changelog row becomes: rows of a table that has at least one for each, and perhaps of others."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

from sqlalchemy import Table

#: Of one changelog row: the tables' rows, without the columns that say where they are from.
Cells = Iterable[tuple[Table, dict[str, Any]]]

_CODE = re.compile(r"[A-Za-z0-9_.:-]{1,60}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Kind:
    """`read` takes the key without its kind and the row's JSON. It raises what it does not understand: ValueError,
    KeyError, or msgspec's errors, which are ValueErrors.
    """

    read: Callable[[str, bytes], Cells]
    #: Has a row for every changelog row of the kind.
    head: Table
    others: tuple[Table, ...] = ()

    @property
    def tables(self) -> tuple[Table, ...]:
        return (self.head, *self.others)


def code(text: str | None) -> str | None:
    """A reason if it is one of ours, such as "sold_out": what somebody wrote in words may be personal."""
    return text if text is not None and _CODE.fullmatch(text) else None


def of_resource(resource: str) -> dict[str, str]:
    """ "PROP-001/deluxe%20suite" -> {"property_id": "PROP-001", "unit_type": "deluxe suite"}."""
    property_id, separator, unit_type = resource.partition("/")
    if not separator:
        raise ValueError(f"{resource!r} is no resource")
    return {"property_id": unquote(property_id), "unit_type": unquote(unit_type)}
