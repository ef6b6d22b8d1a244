"""The sandbox for text messages: takes them over HTTP as a provider does, keeps them, and fails for certain numbers.

The numbers for trying out faults are in `FAULTS`; every other number that E.164 allows is sent to.
"""

from __future__ import annotations

import hmac
import re
from typing import Annotated, Literal

import orjson
from aiohttp import web
from pydantic import BaseModel, ConfigDict, StringConstraints, ValidationError

from adapters.textbox import Reused, Textbox

Fault = Literal["refused", "down", "busy", "silent"]
#: refused: 422, no such number. down: two 503, then sent. busy: one 429 with Retry-After, then sent. silent: sent, but
#: the first time the connection ends without an answer.
FAULTS: dict[str, Fault] = {
    "+15005550001": "refused",
    "+15005550002": "down",
    "+15005550003": "busy",
    "+15005550004": "silent",
}
_DOWN_TIMES, _RETRY_AFTER_S = 2, 1
_NUMBER = re.compile(r"\+[1-9][0-9]{6,14}", re.ASCII)
_BODY_LIMIT = 16384


class TextBody(BaseModel):
    """A message to send. Ten parts of a message of this kind have 1530 characters."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    to: Annotated[str, StringConstraints(max_length=100)]
    text: Annotated[str, StringConstraints(min_length=1, max_length=1530)]
    reference: Annotated[str, StringConstraints(min_length=1, max_length=100)]


class Texts:
    """The handlers over one box."""

    def __init__(self, box: Textbox, key: str) -> None:
        self._box = box
        self._bearer = f"Bearer {key}".encode()

    async def send(self, request: web.Request) -> web.StreamResponse:
        if not hmac.compare_digest(request.headers.get("Authorization", "").encode(), self._bearer):
            return _refused(401, "unauthorized", "Send Authorization: Bearer KEY.")
        try:
            asked = TextBody.model_validate_json(await request.read())
        except ValidationError as error:
            first = error.errors(include_url=False, include_input=False)[0]
            field = ".".join(str(part) for part in first["loc"]) or "body"
            return _refused(422, "invalid_request", f"{field}: {first['msg']}")
        fault = FAULTS.get(asked.to)
        if fault == "refused" or not _NUMBER.fullmatch(asked.to):
            return _refused(422, "invalid_number", "to: should be a number as E.164 has it, such as +4915112345678")
        return self._taken(request, asked, fault)

    async def alive(self, request: web.Request) -> web.Response:
        return _answer(200, {"status": "ok"})

    def _taken(self, request: web.Request, asked: TextBody, fault: Fault | None) -> web.StreamResponse:
        attempt = self._box.attempt(asked.reference) if fault is not None else 0
        if fault == "down" and attempt <= _DOWN_TIMES:
            return _refused(503, "unavailable", "The network does not answer. Try again.")
        if fault == "busy" and attempt == 1:
            answer = _refused(429, "too_many", "Too many messages. Try again later.")
            answer.headers["Retry-After"] = str(_RETRY_AFTER_S)
            return answer
        try:
            message_id = self._box.keep(asked.reference, asked.to, asked.text)
        except Reused:
            return _refused(422, "reference_reused", "reference: was used for another message")
        if fault == "silent" and attempt == 1 and request.transport is not None:
            request.transport.abort()
        return _answer(200, {"id": message_id})


def application(box: Textbox, key: str) -> web.Application:
    """The whole server over `box`, which stays the caller's to close. `key` is what it asks of callers."""
    texts = Texts(box, key)
    app = web.Application(client_max_size=_BODY_LIMIT)
    app.add_routes([web.post("/sms", texts.send), web.get("/livez", texts.alive), web.get("/readyz", texts.alive)])
    return app


def _refused(status: int, code: str, message: str) -> web.Response:
    return _answer(status, {"error": {"code": code, "message": message}})


def _answer(status: int, body: object) -> web.Response:
    return web.Response(status=status, body=orjson.dumps(body), content_type="application/json")
