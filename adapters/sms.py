"""The provider of text messages, as a client sees it: one message out, the provider's id of it back.

It takes `POST {base}/sms` with `{to, text, reference}` and a bearer key, and answers `{id}`. A reference that comes
again is the same message: the provider sends it once. Retries are not decided here.
"""

from __future__ import annotations

import aiohttp
import msgspec

from adapters.provider_answers import retry_after

#: Of the statuses that refuse (4xx), those that say nothing about the message: a wrong key, too early, too many.
_NOT_THE_MESSAGE = frozenset({401, 403, 407, 408, 425, 429})
_ANSWER_LIMIT = 65536
_LONGEST_REASON = 200


class SmsUnavailable(Exception):
    """No answer that says what happened: the message may be handed over again, under the same reference.

    `retry_after` is in seconds, None if the provider named no time.
    """

    def __init__(self, reason: str, retry_after: float | None = None) -> None:
        super().__init__(reason)
        self.retry_after = retry_after


class SmsRefused(Exception):
    """The provider will not send this message, however often it is asked; says why."""


class _Taken(msgspec.Struct):
    """What the provider says of a message it took."""

    id: str


class _Error(msgspec.Struct):
    message: str = ""


class _Refusal(msgspec.Struct):
    error: _Error


class SmsClient:
    """Speaks to one provider. The session is the caller's; `timeout` is per request, in seconds."""

    def __init__(self, session: aiohttp.ClientSession, base_url: str, key: str, timeout: float = 10.0) -> None:
        self._session = session
        self._url = f"{base_url.rstrip('/')}/sms"
        self._headers = {"Authorization": f"Bearer {key}"}
        self._timeout = aiohttp.ClientTimeout(total=timeout)

    async def send(self, reference: str, to: str, text: str) -> str:
        """Hands one message over and returns the provider's id of it. `to` is a number as E.164 has it.

        Raises SmsUnavailable, SmsRefused.
        """
        status, raw, later = await self._ask({"to": to, "text": text, "reference": reference})
        if _refuses(status, raw):
            raise SmsRefused(_reason(raw))
        if not 200 <= status < 300:
            raise SmsUnavailable(f"HTTP {status}", retry_after(later))
        try:
            return msgspec.json.decode(raw, type=_Taken).id
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise SmsUnavailable("an answer that is not understood") from error

    async def _ask(self, body: dict[str, str]) -> tuple[int, bytes, str | None]:
        """Status, body and Retry-After of the answer."""
        try:
            async with self._session.post(
                self._url, json=body, headers=self._headers, timeout=self._timeout, allow_redirects=False
            ) as answer:
                raw = bytearray()
                async for chunk in answer.content.iter_chunked(_ANSWER_LIMIT):
                    raw += chunk
                    if len(raw) > _ANSWER_LIMIT:
                        raise SmsUnavailable(f"an answer of more than {_ANSWER_LIMIT} bytes")
                return answer.status, bytes(raw), answer.headers.get("Retry-After")
        except TimeoutError as error:
            raise SmsUnavailable("no answer in time") from error
        except (aiohttp.ClientError, OSError) as error:
            raise SmsUnavailable(f"no connection ({type(error).__name__})") from error


def _refuses(status: int, raw: bytes) -> bool:
    """Whether an answer refuses the message itself."""
    if status in (404, 405):
        return _refusal(raw) is not None  # else the address is not the provider's, which says nothing of the message
    return 400 <= status < 500 and status not in _NOT_THE_MESSAGE


def _reason(raw: bytes) -> str:
    """Why a message was refused, in the provider's words, on one line."""
    refusal = _refusal(raw)
    said = refusal.error.message if refusal is not None else ""
    return " ".join(said.split())[:_LONGEST_REASON] or "the provider did not say why"


def _refusal(raw: bytes) -> _Refusal | None:
    try:
        return msgspec.json.decode(raw, type=_Refusal)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None
