"""How much of a list a request wants."""

from __future__ import annotations

from aiohttp import web

from web.operations import Parameter
from web.problems import invalid


def limit_of(request: web.Request, usual: int, most: int) -> int:
    """`?limit=`, from 1 to `most`; `usual` when absent."""
    given = request.query.get("limit", str(usual))
    if not (given.isascii() and given.isdecimal() and len(given) <= 6 and 1 <= int(given) <= most):
        raise invalid("limit", f"should be a whole number from 1 to {most}")
    return int(given)


def limited(usual: int, most: int) -> Parameter:
    """The documentation of `?limit=`."""
    return Parameter("limit", "How many at most.", {"type": "integer", "minimum": 1, "maximum": most, "default": usual})
