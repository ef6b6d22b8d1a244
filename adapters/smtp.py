"""The mail server, as a client sees it: one message out, and whether the server took it.

Connections are kept and used again, a few side by side. Retries are not decided here.
"""

from __future__ import annotations

import asyncio
import ipaddress
import ssl
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from email.message import EmailMessage
from urllib.parse import unquote, urlsplit

import aiosmtplib

#: Connections to the server at the same time.
_MOST = 4
#: After so many seconds without a mail a connection is made anew: servers hang up on those that are silent.
_STALE_S = 20.0
#: For so many seconds nobody else asks a server that was silent for as long as we wait: it keeps every place busy.
_SILENT_S = 10.0
_PORTS = {"smtp": 587, "smtps": 465}


class MailUnavailable(Exception):
    """No answer that refuses this message: it may be handed over again, with the same Message-ID."""


class MailRefused(Exception):
    """The server will not take this message for this address, however often it is asked; says why."""


@dataclass(frozen=True, slots=True)
class Server:
    """Where mail is handed over. `tls`: from the first byte (smtps), or once the connection stands, where offered."""

    host: str
    port: int
    tls: bool = False
    user: str | None = None
    password: str | None = field(default=None, repr=False)

    @classmethod
    def of(cls, url: str) -> Server:
        """The server of "smtp://[user:password@]host[:port]" or "smtps://...". Raises ValueError."""
        parts = urlsplit(url)
        if parts.scheme not in _PORTS or not parts.hostname or parts.path.strip("/"):
            raise ValueError("smtp_url: should be smtp://[USER:PASSWORD@]HOST[:PORT] or smtps://...")
        user, password = (None if part is None else unquote(part) for part in (parts.username, parts.password))
        port = parts.port or _PORTS[parts.scheme]
        return cls(parts.hostname, port, tls=parts.scheme == "smtps", user=user or None, password=password)

    @property
    def must_encrypt(self) -> bool:
        """A password does not travel in clear, except within this machine."""
        return self.user is not None and not self.tls and not _is_here(self.host)


class Mailer:
    """Hands messages to one server; None is no server, which is the same as one that does not answer.

    `timeout` is for each step of the conversation, in seconds.
    """

    def __init__(self, server: Server | None, timeout: float = 20.0, tls: ssl.SSLContext | None = None) -> None:
        self._server = server
        self._timeout = timeout
        self._tls = tls
        self._places = asyncio.Semaphore(_MOST)
        #: Until when the server is not asked, on the monotonic clock.
        self._silent_until = 0.0
        #: Connections nobody uses now, with when they were used, on the monotonic clock; the latest at the end.
        self._idle: list[tuple[float, aiosmtplib.SMTP]] = []

    async def send(self, message: EmailMessage) -> None:
        """Hands one message over; returns once the server has answered for it. Raises MailUnavailable, MailRefused."""
        try:
            async with self._connection() as server:
                await server.send_message(message)
        except aiosmtplib.SMTPRecipientsRefused as refused:
            raise _judged(refused.recipients[0]) from refused
        except aiosmtplib.SMTPDataError as refused:
            raise _judged(refused) from refused
        except aiosmtplib.SMTPNotSupported as refused:
            # An address beyond ASCII, and a server that knows none. What it offers for itself is seen when connecting.
            raise MailRefused("the server takes no such address") from refused
        except (aiosmtplib.SMTPException, OSError) as error:
            # A sender or a login that is refused is for the operator to mend, not for the guest to miss a mail over.
            raise self._unavailable(error) from error

    async def close(self) -> None:
        """Lets go of the connections; what is under way keeps its own."""
        while self._idle:
            _, server = self._idle.pop()
            server.close()

    @asynccontextmanager
    async def _connection(self) -> AsyncIterator[aiosmtplib.SMTP]:
        """A connection to ourselves, kept for the next one if the server still understands us afterwards."""
        async with self._places:
            if time.monotonic() < self._silent_until:
                raise MailUnavailable("the server was silent a moment ago")
            server = await self._taken()
            try:
                yield server
            except (aiosmtplib.SMTPRecipientsRefused, aiosmtplib.SMTPDataError):
                self._idle.append((time.monotonic(), server))
                raise
            except BaseException:
                server.close()
                raise
            self._idle.append((time.monotonic(), server))

    async def _taken(self) -> aiosmtplib.SMTP:
        while self._idle:
            used, server = self._idle.pop()
            if server.is_connected and time.monotonic() - used < _STALE_S:
                return server
            server.close()
        return await self._connected()

    async def _connected(self) -> aiosmtplib.SMTP:
        to = self._server
        if to is None:
            raise MailUnavailable("no mail server is known: set smtp_url, or start `vacancy inbox`")
        server = aiosmtplib.SMTP(
            hostname=to.host,
            port=to.port,
            use_tls=to.tls,
            start_tls=False if to.tls else (True if to.must_encrypt else None),
            username=to.user,
            password=to.password,
            timeout=self._timeout,
            tls_context=self._tls,
        )
        try:
            await server.connect()
        except (aiosmtplib.SMTPException, OSError) as error:
            server.close()
            raise self._unavailable(error) from error
        return server

    def _unavailable(self, error: Exception) -> MailUnavailable:
        if isinstance(error, TimeoutError):
            self._silent_until = time.monotonic() + _SILENT_S
        return MailUnavailable(_said(error))


def _judged(refused: aiosmtplib.SMTPResponseException) -> MailRefused | MailUnavailable:
    """What the server's answer to an address or a message means: 5xx is for good, all else for now."""
    return MailRefused(_said(refused)) if 500 <= refused.code < 600 else MailUnavailable(_said(refused))


def _said(error: Exception) -> str:
    """The server's code, or what kind of failure it was: its words may name the address, which no log shows."""
    if isinstance(error, aiosmtplib.SMTPResponseException):
        return f"the server answered {error.code}"
    return f"the server does not answer ({type(error).__name__})"


def _is_here(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
