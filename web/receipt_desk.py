"""Pages of receipts: made when somebody first reads one, kept in the storage, and never trusted blindly from there.

A stored page is served only if it is whole and says what the receipt says now. So a damaged one is made again, and so
is one that names a guest who was erased since. Without the storage every page is made anew.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from adapters.links import Links
from adapters.receipt_page import Printer, shows
from adapters.receipt_words import Facts
from adapters.storage import Storage, StorageUnavailable, receipt_name
from domain.receipts import Receipt
from web.ports import Seals
from web.receipt_facts import facts_of

logger = logging.getLogger("vacancy.receipts")


class ReceiptDesk:
    """Hands out receipts as PDF. Pages are typeset one after the other in a thread, which leaves the loop alone."""

    def __init__(self, storage: Storage, links: Links, keyring: Seals) -> None:
        self._storage = storage
        self._links = links
        self._keyring = keyring
        self._printer = Printer()
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="receipts")
        self._making: dict[tuple[str, Facts], asyncio.Task[bytes]] = {}

    def link(self, receipt: Receipt) -> str:
        """Where the receipt is read without a key: the same link each time, and it holds from when it was asked for."""
        return self._links.receipt(receipt.receipt_id, receipt.requested_at)

    def receipt_of(self, token: str) -> str | None:
        """The id of the receipt that a link is to; None if the link is none of ours or too old."""
        return self._links.receipt_of(token)

    async def pdf(self, receipt: Receipt) -> bytes:
        """The receipt's page; who asks for the same one meanwhile waits for it. Raises TimeoutError as the keyring."""
        name, facts = receipt_name(receipt.user_id, receipt.receipt_id), await self._facts(receipt)
        made = self._making.get((name, facts))
        if made is None:
            made = asyncio.create_task(self._page(name, facts))
            self._making[name, facts] = made
            made.add_done_callback(lambda _: self._making.pop((name, facts), None))
        page = await asyncio.shield(made)
        # Erased while it was made: what was just stored names nobody any more, either.
        return page if await self._facts(receipt) == facts else await self.pdf(receipt)

    async def text(self, receipt_id: str) -> str | None:
        """A receipt as the version before pages wrote it; None where there is none."""
        found = await self._stored(f"{receipt_id}.txt")
        return found.decode() if found is not None else None

    async def _page(self, name: str, facts: Facts) -> bytes:
        stored = await self._stored(name)
        if stored is not None and shows(stored, facts):
            return stored
        page = await asyncio.get_running_loop().run_in_executor(self._thread, self._printer.render, facts)
        try:
            await self._storage.write(name, page)
        except StorageUnavailable as failure:
            logger.warning("a receipt was not stored (%s): it is made again when it is read next", failure)
        return page

    async def _stored(self, name: str) -> bytes | None:
        try:
            return await self._storage.read(name)
        except StorageUnavailable:
            return None

    async def _facts(self, receipt: Receipt) -> Facts:
        return facts_of(receipt, await self._guest(receipt), self.link(receipt))

    async def _guest(self, receipt: Receipt) -> Mapping[str, Any]:
        sealed = receipt.about.guest if receipt.about is not None else None
        text = await self._keyring.unseal(receipt.user_id, sealed) if sealed else None
        found = json.loads(text) if text else {}
        return found if isinstance(found, dict) else {}
