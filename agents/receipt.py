"""The receipt service's agents: one decides receipts, one reads which payments succeeded, one writes the files."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from adapters.letters import render
from adapters.receipt_files import ReceiptFiles
from agents.effects import perform
from agents.follow import follow
from agents.lazy import lazy_app
from agents.tools import Tools
from domain.facts import facts_of
from domain.receipts import receipt_request_of
from streams.app import ServiceApp
from streams.effects import Unreachable
from streams.envelope import resulting
from streams.events import Envelope, Event
from streams.events.receipts import ReceiptWritten, WriteReceipt
from streams.group import batches
from tables import receipts


def attach(receipt: ServiceApp, tools: Tools) -> None:
    """Attaches the agents to the receipt service's App."""
    service, app = receipt.service, receipt.app
    files = ReceiptFiles(tools.settings.data / "receipts")

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
        call=lambda effect: write_receipt(files, effect),
        already_answered=already_answered,
    )

    follow(receipt, tools, requests_of)


def requests_of(news: Envelope) -> Sequence[Event]:
    """What a piece of news asks of the receipt service."""
    asked = receipt_request_of(news)
    return () if asked is None else (asked,)


async def write_receipt(files: ReceiptFiles, effect: Envelope) -> Envelope:
    """The result of writing one receipt, as a message for its inbox. Raises Unreachable.

    A receipt names nobody: its file outlives a guest's erasure.
    """
    asked = effect.data
    assert isinstance(asked, WriteReceipt)
    more = {"payment_id": asked.payment_id, "booking_id": asked.booking_id, "paid_at": f"{asked.paid_at:%Y-%m-%d}"}
    page = render("receipt_document", facts_of(asked) | more)
    try:
        files.write(asked.receipt_id, f"{page.subject}\n\n{page.text}\n")
    except OSError as failure:
        raise Unreachable(f"the receipt cannot be written: {failure.strerror}") from failure
    answered = ReceiptWritten(payment_id=asked.payment_id, effect_id=effect.event_id)
    return resulting(effect, answered, now=datetime.now(UTC), source="receipt-service")


__getattr__ = lazy_app("receipt")
