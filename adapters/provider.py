"""The payment provider, as a client sees it: one call out, one answer back, whatever the network does in between.

What the provider says is input: it is validated, and an answer about other money than ours is refused, not believed.
Retries, and what an answer means for a payment, are not decided here.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any
from urllib.parse import quote

import aiohttp

from adapters.provider_answers import NotUnderstood, read_error, read_payment, read_refund, retry_after
from adapters.provider_verdict import Answer, Call, judge, judge_refund, looked_up, refused
from streams.events.payment import Operation

__all__ = ["Answer", "ProviderClient", "ProviderUnavailable"]

#: Statuses that refuse the content of a call. Every other failure says nothing about it.
_REFUSALS = frozenset({400, 402, 404, 409, 422})
_ANSWER_LIMIT = 65536


class ProviderUnavailable(Exception):
    """No answer that says what happened: no connection, a timeout, 5xx, 429, or words we do not understand.

    The call may be repeated under the same idempotency key. `retry_after` is in seconds, None if the provider named
    no time.
    """

    def __init__(self, reason: str, retry_after: float | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.retry_after = retry_after


class _Unanswered(Exception):
    """The request may have arrived; its answer did not."""


class ProviderClient:
    """Speaks to one provider. The session is the caller's; `timeout` is per request, in seconds."""

    def __init__(self, session: aiohttp.ClientSession, base_url: str, timeout: float) -> None:
        self._session = session
        self._base = base_url.rstrip("/")
        self._timeout = aiohttp.ClientTimeout(total=timeout)

    async def call(
        self,
        operation: Operation,
        *,
        payment_id: str,
        amount: Decimal,
        currency: str,
        token: str | None = None,
        provider_payment_id: str | None = None,
        refund_id: str | None = None,
        idempotency_key: str,
    ) -> Answer:
        """Makes one call; where its answer is lost, looks up what became of it. Raises ProviderUnavailable."""
        call = Call(
            operation=operation,
            payment_id=payment_id,
            amount=amount,
            currency=currency,
            token=token,
            provider_payment_id=provider_payment_id,
            refund_id=refund_id,
            idempotency_key=idempotency_key,
        )
        if operation != "authorize" and provider_payment_id is None:
            return refused("not_authorized", "The provider was never told of this payment.")
        try:
            return await self._ask(call)
        except (_Unanswered, NotUnderstood) as lost:
            return await self._look_up(call, str(lost))

    async def _ask(self, call: Call) -> Answer:
        path, body = _request(call)
        headers = {"Idempotency-Key": call.idempotency_key}
        status, raw = await self._send("POST", path, json=body, headers=headers)
        if status in _REFUSALS:
            error = read_error(raw)
            return refused(error.code, error.message)
        return judge_refund(call, read_refund(raw)) if call.operation == "refund" else judge(call, read_payment(raw))

    async def _look_up(self, call: Call, lost: str) -> Answer:
        """What became of a call whose answer is lost, as far as the payment's state tells."""
        try:
            status, raw = await self._send("GET", "/v1/payments", params={"reference": call.payment_id})
            found = None if status == 404 else read_payment(raw)
        except (_Unanswered, NotUnderstood) as error:
            raise ProviderUnavailable(f"{call.operation}: {lost}; looked up: {error}") from error
        answer = looked_up(call, found) if found is not None else None
        if answer is None:
            raise ProviderUnavailable(f"{call.operation}: {lost}; looked up: not done")
        return answer

    async def _send(self, method: str, path: str, **options: Any) -> tuple[int, bytes]:
        """Status and body of an answer that says something: 2xx or a refusal."""
        url = self._base + path
        try:
            async with self._session.request(
                method, url, timeout=self._timeout, allow_redirects=False, **options
            ) as response:
                raw = await _body(response)
        except aiohttp.ClientConnectorError as error:
            raise ProviderUnavailable(f"no connection: {error.os_error.strerror or error.os_error}") from error
        except aiohttp.ConnectionTimeoutError as error:
            raise ProviderUnavailable("no connection: timeout") from error
        except TimeoutError as error:
            raise _Unanswered("timeout") from error
        except (aiohttp.ClientError, OSError) as error:
            raise _Unanswered(f"connection lost ({type(error).__name__})") from error
        if not (200 <= response.status < 300 or response.status in _REFUSALS):
            raise ProviderUnavailable(f"HTTP {response.status}", retry_after(response.headers.get("Retry-After")))
        return response.status, raw


def _request(call: Call) -> tuple[str, dict[str, str]]:
    amount = format(call.amount, "f")
    payment = f"/v1/payments/{quote(call.provider_payment_id or '', safe='')}"
    match call.operation:
        case "authorize":
            body = {"reference": call.payment_id, "amount": amount, "currency": call.currency}
            return "/v1/authorizations", {**body, "token": call.token or ""}
        case "capture":
            return f"{payment}/capture", {"amount": amount}
        case "void":
            return f"{payment}/void", {}
        case "refund":
            return f"{payment}/refunds", {"reference": call.refund_id or "", "amount": amount}


async def _body(response: aiohttp.ClientResponse) -> bytes:
    """The whole body, of which an honest one needs no more than the limit."""
    raw = bytearray()
    async for chunk in response.content.iter_chunked(_ANSWER_LIMIT):
        raw += chunk
        if len(raw) > _ANSWER_LIMIT:
            response.close()
            raise ProviderUnavailable(f"an answer of more than {_ANSWER_LIMIT} bytes")
    return bytes(raw)
