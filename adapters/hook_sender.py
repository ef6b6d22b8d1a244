"""Sends webhooks: one signed POST, to public addresses only, bounded in time and in what is read of the answer.

What is sent, and what an answer means, is not decided here. The headers are those of Standard Webhooks.
"""

from __future__ import annotations

import os
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

import aiohttp
from standardwebhooks import Webhook

from adapters.addresses import Resolver, objection_to
from adapters.lookups import Lookups

#: For one attempt from name to answer, in seconds.
TIMEOUT_S = 10.0
#: Attempts to one endpoint that may be under way in this process: the rows order no more, but after a restart.
MOST_UNDER_WAY = 64
_READ_BYTES = 4_096
_KEPT_CHARACTERS = 1_024
_MEDIA_TYPES = {"standard": "application/json", "cloudevents": "application/cloudevents+json"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """What came of an attempt: the status that was answered, or why there was none."""

    status: int | None = None
    error: str | None = None
    duration_ms: int = 0
    #: The first of the answer, as text.
    response: str = ""
    #: What a 429 or 503 asked to wait, in seconds.
    retry_after: int | None = None
    #: Nothing was sent: too many attempts to this endpoint are under way.
    postponed: bool = False


class HookSender:
    """Sends for one process. `private`: addresses that are not public are allowed, and http."""

    def __init__(self, *, private: bool, timeout: float = TIMEOUT_S) -> None:
        self._private = private
        self._timeout = aiohttp.ClientTimeout(total=timeout)
        self._under_way: Counter[str] = Counter()
        self._session: aiohttp.ClientSession | None = None

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def send(
        self, endpoint_id: str, url: str, message_id: str, body: str, *, form: str, secrets: Sequence[str]
    ) -> Sent:
        """Makes one attempt; never raises for what the other side does."""
        if self._under_way[endpoint_id] >= MOST_UNDER_WAY:
            return Sent(postponed=True)
        objection = objection_to(url, private=self._private)  # a name is checked when it is looked up
        if objection is not None:
            return Sent(error=f"the URL {objection}")
        self._under_way[endpoint_id] += 1
        began = time.monotonic()
        try:
            return await self._post(url, body, headers_of(message_id, body, form, secrets, datetime.now(UTC)), began)
        except TimeoutError:
            return Sent(error=f"no answer within {self._timeout.total:g} s", duration_ms=_since(began))
        except (aiohttp.ClientError, OSError, ValueError) as error:
            return Sent(error=_why(error), duration_ms=_since(began))
        finally:
            self._under_way[endpoint_id] -= 1
            if not self._under_way[endpoint_id]:
                del self._under_way[endpoint_id]

    async def _post(self, url: str, body: str, headers: dict[str, str], began: float) -> Sent:
        async with self._opened().post(
            url, data=body.encode(), headers=headers, timeout=self._timeout, allow_redirects=False
        ) as response:
            raw = await _first_of(response)
            return Sent(
                status=response.status,
                duration_ms=_since(began),
                response=raw.decode("utf-8", "replace")[:_KEPT_CHARACTERS],
                retry_after=_retry_after(response),
            )

    def _opened(self) -> aiohttp.ClientSession:
        if self._session is None:
            names = Lookups()
            connector = aiohttp.TCPConnector(
                limit=0, resolver=names if self._private else Resolver(names), use_dns_cache=False
            )
            # Nothing of the environment: a proxy would look names up by itself.
            self._session = aiohttp.ClientSession(
                connector=connector, cookie_jar=aiohttp.DummyCookieJar(), trust_env=False, auto_decompress=False
            )
        return self._session


def headers_of(message_id: str, body: str, form: str, secrets: Sequence[str], now: datetime) -> dict[str, str]:
    """The headers of one attempt at `now`: signed with every secret, so that one can be changed while both count."""
    signatures = [Webhook(secret).sign(message_id, now, body) for secret in secrets]
    return {
        "Content-Type": f"{_MEDIA_TYPES[form]}; charset=utf-8",
        "Accept-Encoding": "identity",
        "User-Agent": "vacancy-webhooks",
        "webhook-id": message_id,
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": " ".join(signatures),
    }


async def _first_of(response: aiohttp.ClientResponse) -> bytes:
    """The first of an answer's body; the rest is not read, and the connection not used again."""
    read = bytearray()
    while len(read) < _READ_BYTES and (more := await response.content.read(_READ_BYTES - len(read))):
        read += more
    return bytes(read)


def _retry_after(response: aiohttp.ClientResponse) -> int | None:
    """Seconds, from a number or a date; None where it asks for nothing usable."""
    said = response.headers.get("Retry-After", "")
    if response.status not in (429, 503) or not said:
        return None
    if said.isascii() and said.isdigit():
        return min(int(said[:9]), 10**9)
    try:
        wait = (parsedate_to_datetime(said) - datetime.now(UTC)).total_seconds()
    except (TypeError, ValueError):
        return None
    return max(0, round(wait))


def _why(error: Exception) -> str:
    """An error of the network in a few words, with no address of ours."""
    if isinstance(error, aiohttp.ClientConnectorDNSError):
        return str(error.os_error) if "public" in str(error.os_error) else "the name is not known"
    if isinstance(error, aiohttp.ClientConnectorCertificateError | aiohttp.ClientSSLError):
        return "the certificate is not trusted"
    if isinstance(error, aiohttp.ClientConnectorError):
        code = error.os_error.errno
        return f"no connection: {os.strerror(code) if code else type(error.os_error).__name__}"
    return f"the connection broke off ({type(error).__name__})"


def _since(began: float) -> int:
    return round((time.monotonic() - began) * 1000)
