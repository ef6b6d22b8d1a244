"""The receipt service's agents: one decides receipts, one reads which payments succeeded.

A third answers what receipts of the rules 1 still ask for; no page is made here (`web/receipt_desk.py`).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from agents.effects import perform
from agents.follow import follow
from agents.lazy import lazy_app
from agents.tools import Tools
from domain.receipts import receipt_request_of
from streams.app import ServiceApp
from streams.envelope import resulting
from streams.events import Envelope, Event
from streams.events.receipts import ReceiptWritten, WriteReceipt
from streams.group import batches
from tables import receipts


def attach(receipt: ServiceApp, tools: Tools) -> None:
    """Attaches the agents to the receipt service's App."""
    service, app = receipt.service, receipt.app

    def already_answered(partition: int, effect: Envelope) -> bool:
        assert isinstance(effect.data, WriteReceipt)
        row = receipts.read(receipt.store, effect.data.payment_id) if receipt.store.owns(partition) else None
        return row is not None and row.generated_at is not None

    @app.agent(receipt.topic(service.inbox), name="decide-receipts")
    async def decide_receipts(stream: Any) -> None:
        """Gives every payment that succeeded one receipt, in the order of the inbox."""
        async for batch in batches(stream):
            await receipt.decide(batch)

    perform(
        receipt,
        service,
        tools,
        name="write-receipt",
        call=write_receipt,
        already_answered=already_answered,
    )

    follow(receipt, tools, requests_of)


def requests_of(news: Envelope) -> Sequence[Event]:
    """What a piece of news asks of the receipt service."""
    asked = receipt_request_of(news)
    return () if asked is None else (asked,)


async def write_receipt(effect: Envelope) -> Envelope:
    """The answer to an order of the rules 1: nothing is left to be written, and its receipt can be told."""
    asked = effect.data
    assert isinstance(asked, WriteReceipt)
    answered = ReceiptWritten(payment_id=asked.payment_id, effect_id=effect.event_id)
    return resulting(effect, answered, now=datetime.now(UTC), source="receipt-service")


__getattr__ = lazy_app("receipt")
