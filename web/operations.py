"""What an endpoint is: its route, its handler, and what its documentation says. The router and `/openapi.json` are
made from the same declarations, so neither can know an endpoint the other does not."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from aiohttp import web
from aiohttp.typedefs import Handler
from pydantic import BaseModel


@dataclass(frozen=True, slots=True)
class Parameter:
    """A query parameter or header beside those of the path. `schema` is JSON Schema."""

    name: str
    description: str
    schema: Mapping[str, object]
    place: str = "query"
    required: bool = False


#: A model, or the media type of what is none.
Body = type[BaseModel] | str


@dataclass(frozen=True, slots=True)
class Operation:
    """One method of one path. `answers` maps a status to its model, or to the media type of anything else; to several
    where the Accept header chooses."""

    method: str
    path: str
    handler: Handler
    summary: str
    tag: str
    answers: Mapping[int, Body | tuple[Body, ...]] = field(default_factory=dict)
    request: type[BaseModel] | None = None
    request_required: bool = True
    parameters: tuple[Parameter, ...] = ()
    problems: tuple[int, ...] = ()
    #: Needs no key (the gateway listens on loopback only).
    open: bool = False

    @property
    def name(self) -> str:
        """Unique: several collections share a handler."""
        return f"{self.tag}.{getattr(self.handler, '__name__', 'handler')}"

    def bodies(self, status: int) -> tuple[Body, ...]:
        """What an answer with that status may have as its body."""
        found = self.answers[status]
        return found if isinstance(found, tuple) else (found,)

    def route(self) -> web.RouteDef:
        return web.route(self.method, self.path, self.handler)


IDEMPOTENCY_KEY = Parameter(
    "Idempotency-Key",
    "Makes a retry safe: the same key and body give the same answer, and nothing is done twice.",
    {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[ -~]+$"},
    place="header",
)
WAIT = Parameter(
    "wait",
    "Answer as soon as there is an outcome, or after so many seconds.",
    {"type": "number", "minimum": 0, "maximum": 60, "default": 0},
)
AT = Parameter(
    "at",
    "As it stood at that time, e.g. 2026-12-24T15:00:00Z; 404 if it did not exist yet.",
    {"type": "string", "format": "date-time"},
)
