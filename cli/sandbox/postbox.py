"""The sandbox's mail server: takes every message as it comes, and says so once it lies in the mailbox as a whole."""

from __future__ import annotations

import asyncio
import logging

from aiosmtpd.smtp import SMTP, Session
from aiosmtpd.smtp import Envelope as Delivery

from adapters.mailbox import Mailbox

#: Of one message, in bytes.
LARGEST = 1024 * 1024

logger = logging.getLogger("vacancy.inbox")


class Postbox:
    """What the server does with a message."""

    def __init__(self, mailbox: Mailbox) -> None:
        self._mailbox = mailbox

    async def handle_DATA(self, server: SMTP, session: Session, delivery: Delivery) -> str:  # aiosmtpd's
        raw = delivery.original_content or b""
        try:
            # On the loop, so that two deliveries of one message are counted as two.
            self._mailbox.keep(raw)
        except OSError as error:
            logger.warning("a mail could not be written: %s", error.strerror)
            return "451 The mailbox cannot be written now"
        return "250 Kept"


async def listen(mailbox: Mailbox, host: str, port: int) -> asyncio.Server:
    """The server, listening. Raises OSError."""
    loop = asyncio.get_running_loop()
    postbox = Postbox(mailbox)
    return await loop.create_server(
        lambda: SMTP(postbox, data_size_limit=LARGEST, enable_SMTPUTF8=True, hostname="vacancy.invalid", loop=loop),
        host,
        port,
    )
