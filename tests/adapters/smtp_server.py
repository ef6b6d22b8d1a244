"""A mail server that answers as it is told: a real one, on a loopback port."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiosmtpd.smtp import SMTP, AuthResult, LoginPassword, Session
from aiosmtpd.smtp import Envelope as Delivery

from adapters.smtp import Server


@dataclass
class Manner:
    """What the server says at which step; "" is yes. `silent`: it says nothing to a message, and hangs."""

    sender: str = ""
    address: str = ""
    message: str = ""
    silent: bool = False
    greets: list[str] = field(default_factory=list)
    taken: list[tuple[list[str], bytes]] = field(default_factory=list)
    logins: list[tuple[bytes, bytes]] = field(default_factory=list)

    async def handle_EHLO(  # aiosmtpd's
        self, server: SMTP, session: Session, delivery: Delivery, host: str, answers: list[str]
    ) -> list[str]:
        session.host_name = host
        self.greets.append(host)
        return answers

    async def handle_MAIL(  # aiosmtpd's
        self, server: SMTP, session: Session, delivery: Delivery, address: str, options: list[str]
    ) -> str:
        delivery.mail_from = address
        return self.sender or "250 OK"

    async def handle_RCPT(  # aiosmtpd's
        self, server: SMTP, session: Session, delivery: Delivery, address: str, options: list[str]
    ) -> str:
        if not self.address:
            delivery.rcpt_tos.append(address)
        return self.address or "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, delivery: Delivery) -> str:  # aiosmtpd's
        self.taken.append((list(delivery.rcpt_tos), delivery.original_content or b""))
        if self.silent:
            await asyncio.sleep(3600)
        return self.message or "250 OK"

    def authenticate(self, server: SMTP, session: Session, delivery: Delivery, mechanism: str, data: Any) -> AuthResult:
        if isinstance(data, LoginPassword):
            self.logins.append((data.login, data.password))
        return AuthResult(success=isinstance(data, LoginPassword) and data.password == b"open: sesame", handled=False)


@asynccontextmanager
async def serving(manner: Manner, port: int = 0, **options: Any) -> AsyncIterator[Server]:
    """The server, listening on a port of its own unless told which; every connection ends with it."""
    loop = asyncio.get_running_loop()
    made: list[SMTP] = []

    def connected() -> SMTP:
        made.append(SMTP(manner, loop=loop, hostname="test.invalid", **options))
        return made[-1]

    server = await loop.create_server(connected, "127.0.0.1", port)
    try:
        yield Server("127.0.0.1", server.sockets[0].getsockname()[1])
    finally:
        server.close()
        for each in made:
            if isinstance(each.transport, asyncio.WriteTransport):
                each.transport.abort()
        await server.wait_closed()
