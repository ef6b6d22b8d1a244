"""The sandbox's HTTP side: reads requests, lets the cards misbehave, answers in JSON.

Answers and refusals are decided in `operations`, kept in `ledger`.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable
from decimal import Decimal
from typing import Annotated, TypeVar

from aiohttp import web
from aiohttp.typedefs import Handler
from pydantic import AfterValidator, BaseModel, ConfigDict, StringConstraints, ValidationError

from cli.sandbox import operations
from cli.sandbox.ledger import Ledger, Reply, refused, reply
from cli.sandbox.tokens import FLAKY_FAILURES, card_of

# A string, never a JSON number: a number would have gone through a float somewhere.
_Money = Annotated[str, StringConstraints(pattern=r"^[0-9]{1,12}(\.[0-9]{1,4})?$")]
_Reference = Annotated[str, StringConstraints(min_length=1, max_length=100)]
_GONE_POLL = 0.2


def _positive(amount: str) -> str:
    if Decimal(amount) == 0:
        raise ValueError("should be above zero")
    return amount


class _Body(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class AuthorizationBody(_Body):
    reference: _Reference
    amount: _Money
    currency: Annotated[str, StringConstraints(pattern=r"^[A-Z]{3}$")]
    token: Annotated[str, StringConstraints(max_length=200)]


class CaptureBody(_Body):
    amount: _Money | None = None


class VoidBody(_Body):
    pass


class RefundBody(_Body):
    reference: _Reference
    amount: Annotated[_Money, AfterValidator(_positive)]


_B = TypeVar("_B", bound=_Body)


class _Refused(Exception):
    """A request that is not understood; nothing was done and nothing is remembered."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.reply = refused(status, code, message)


class Sandbox:
    """The handlers over one ledger. `slow` is how long tok_slow takes, in seconds."""

    def __init__(self, ledger: Ledger, slow: float) -> None:
        self._ledger = ledger
        self._slow = slow

    async def authorize(self, request: web.Request) -> web.StreamResponse:
        asked = await _read(request, AuthorizationBody)
        card = card_of(asked.token)
        if card.behaviour == "slow":
            await asyncio.sleep(self._slow)
        if card.behaviour == "flaky" and self._ledger.attempt(asked.reference) <= FLAKY_FAILURES:
            return _answer(refused(503, "unavailable", "The bank does not answer. Try again."))
        response = self._once(
            request,
            asked,
            lambda key: operations.authorize(
                self._ledger,
                key,
                reference=asked.reference,
                amount=Decimal(asked.amount),
                currency=asked.currency,
                token=asked.token,
            ),
        )
        if card.behaviour == "silent":
            await _until_gone(request)
        return response

    async def capture(self, request: web.Request) -> web.StreamResponse:
        asked, payment_id = await _read(request, CaptureBody), request.match_info["payment_id"]
        amount = None if asked.amount is None else Decimal(asked.amount)
        return self._once(request, asked, lambda key: operations.capture(self._ledger, key, payment_id, amount))

    async def void(self, request: web.Request) -> web.StreamResponse:
        asked, payment_id = await _read(request, VoidBody), request.match_info["payment_id"]
        return self._once(request, asked, lambda key: operations.void(self._ledger, key, payment_id))

    async def refund(self, request: web.Request) -> web.StreamResponse:
        asked, payment_id = await _read(request, RefundBody), request.match_info["payment_id"]
        return self._once(
            request,
            asked,
            lambda key: operations.refund(
                self._ledger, key, payment_id, reference=asked.reference, amount=Decimal(asked.amount)
            ),
        )

    async def find(self, request: web.Request) -> web.StreamResponse:
        """The payment of a caller's reference: how an unanswered call is cleared up."""
        payment = self._ledger.by_reference(request.query.get("reference", ""))
        if payment is None:
            return _answer(refused(404, "payment_not_found", "There is no payment with this reference."))
        return _answer(reply(200, operations.shown(self._ledger, payment)))

    async def ledger(self, request: web.Request) -> web.StreamResponse:
        """The entries after `after`, at most `limit` of them where one is given."""
        after = _number(request, "after") or 0
        return _answer(reply(200, {"entries": self._ledger.entries(after, _number(request, "limit"))}))

    async def alive(self, request: web.Request) -> web.StreamResponse:
        return _answer(reply(200, {"status": "ok"}))

    def _once(self, request: web.Request, asked: _Body, work: Callable[[str], Reply]) -> web.Response:
        key = request.headers.get("Idempotency-Key", "")
        if not 0 < len(key) <= 255:
            raise _Refused(400, "idempotency_key_missing", "Send an Idempotency-Key of 1 to 255 characters.")
        said = f"{request.path}\n{asked.model_dump_json()}"
        fingerprint = hashlib.sha256(said.encode()).hexdigest()
        return _answer(self._ledger.once(key, fingerprint, lambda: work(key)))


def application(ledger: Ledger, slow: float = 3.0) -> web.Application:
    """The whole server over `ledger`, which stays the caller's to close."""
    sandbox = Sandbox(ledger, slow)
    app = web.Application(middlewares=[_explain], client_max_size=65536)
    app.add_routes(
        [
            web.post("/v1/authorizations", sandbox.authorize),
            web.post("/v1/payments/{payment_id}/capture", sandbox.capture),
            web.post("/v1/payments/{payment_id}/void", sandbox.void),
            web.post("/v1/payments/{payment_id}/refunds", sandbox.refund),
            web.get("/v1/payments", sandbox.find),
            web.get("/v1/ledger", sandbox.ledger),
            web.get("/livez", sandbox.alive),
            web.get("/readyz", sandbox.alive),
        ]
    )
    return app


@web.middleware
async def _explain(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Every refusal is JSON of one shape, those of the web framework too."""
    try:
        return await handler(request)
    except _Refused as refusal:
        return _answer(refusal.reply)
    except web.HTTPException as error:
        return _answer(refused(error.status, f"http_{error.status}", error.reason))


async def _read(request: web.Request, shape: type[_B]) -> _B:
    raw = await request.read()
    try:
        return shape.model_validate_json(raw or b"{}")
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        field = ".".join(str(part) for part in first["loc"]) or "body"
        raise _Refused(422, "invalid_request", f"{field}: {first['msg']}") from None


def _number(request: web.Request, name: str) -> int | None:
    value = request.query.get(name)
    if value is None:
        return None
    if not (value.isascii() and value.isdigit() and len(value) < 19):
        raise _Refused(422, "invalid_request", f"{name}: should be a whole number, 0 or more")
    return int(value)


async def _until_gone(request: web.Request) -> None:
    while request.transport is not None and not request.transport.is_closing():  # noqa: ASYNC110  # nothing tells us
        await asyncio.sleep(_GONE_POLL)


def _answer(told: Reply) -> web.Response:
    return web.Response(status=told.status, body=told.body, content_type="application/json")
