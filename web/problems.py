"""What a caller is told when a request cannot be served: RFC 9457 problems, and the middleware that makes every
failure one. Nothing of an unexpected error's text leaves the process."""

from __future__ import annotations

import json
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from streams.log import LogUnavailable
from web.owners import OwnerUnavailable

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

MEDIA_TYPE = "application/problem+json"
CORRELATION_ID = web.RequestKey("correlation_id", str)
RETRY = {"Retry-After": "1"}

logger = logging.getLogger("vacancy.gateway")


@dataclass(frozen=True, slots=True)
class FieldError:
    """One field that was refused; `field` is its path in the request ("guest.email")."""

    field: str
    message: str


@dataclass(slots=True)
class Problem(Exception):
    """A refusal: `kind` is its stable name, `more` are further members of the answer."""

    status: int
    kind: str
    title: str
    detail: str = ""
    errors: Sequence[FieldError] = ()
    headers: Mapping[str, str] = field(default_factory=dict)
    more: Mapping[str, Any] = field(default_factory=dict)


def invalid(name: str, message: str) -> Problem:
    """422 for one field whose value cannot be taken."""
    return unprocessable([FieldError(name, message)])


def unprocessable(errors: Sequence[FieldError]) -> Problem:
    detail = "; ".join(f"{error.field}: {error.message}" for error in errors)
    return Problem(422, "invalid-request", "The request is not valid", detail, errors)


def not_found(what: str) -> Problem:
    return Problem(404, "not-found", "Not found", f"There is no such {what}.")


def unavailable(detail: str) -> Problem:
    """503, safe to retry: ids come from the Idempotency-Key."""
    return Problem(503, "unavailable", "Not available at the moment", detail, headers=RETRY)


def respond(problem: Problem, correlation_id: str = "") -> web.Response:
    body: dict[str, Any] = {
        "type": f"urn:vacancy:problem:{problem.kind}",
        "title": problem.title,
        "status": problem.status,
    }
    if problem.detail:
        body["detail"] = problem.detail
    if problem.errors:
        body["errors"] = [{"field": error.field, "message": error.message} for error in problem.errors]
    if correlation_id:
        body["correlation_id"] = correlation_id
    text = json.dumps({**body, **problem.more})
    return web.Response(status=problem.status, text=text, content_type=MEDIA_TYPE, headers=problem.headers)


@web.middleware
async def explain_failures(request: web.Request, handler: Handler) -> web.StreamResponse:
    try:
        return await handler(request)
    except Exception as error:
        return respond(_problem_of(error), request.get(CORRELATION_ID, ""))


def _problem_of(error: Exception) -> Problem:
    match error:
        case Problem():
            return error
        case web.HTTPException():
            return _of_http(error)
        case LogUnavailable():
            return unavailable(
                "The event log did not answer. Retry with the same Idempotency-Key: nothing is done twice."
            )
        case OwnerUnavailable():
            return unavailable("The owner of this row cannot be reached. The request is safe to retry.")
        case TimeoutError():
            return unavailable("What this answer needs could not be read in time. The request is safe to retry.")
    logger.exception("a request failed unexpectedly", exc_info=error)
    return Problem(500, "internal", "Internal error", "The error was recorded under this correlation id.")


def _of_http(error: web.HTTPException) -> Problem:
    if isinstance(error, web.HTTPRequestEntityTooLarge):
        return Problem(413, "too-large", "The body is too large")
    kept = {name: error.headers[name] for name in ("Allow", "Location") if name in error.headers}
    return Problem(error.status, error.reason.lower().replace(" ", "-"), error.reason, headers=kept)
