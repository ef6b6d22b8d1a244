"""The outside as the agents see it: a provider, a mail server, other companies' endpoints, and the users' keys.

Each does its work at once and keeps it in `Durable`; before and after it, a crash point is passed.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from decimal import Decimal
from email.message import EmailMessage
from typing import Any

from adapters.hook_sender import Sent
from adapters.provider import Answer, ProviderUnavailable
from adapters.smtp import MailRefused
from cli.audit.facts import Entry
from streams.codec import decode
from streams.events.hooks import EndpointKnown
from streams.events.payment import Operation, ProviderCall
from tests.crash.durable import Durable
from tests.domain.provider import Card

#: How the ledger says what was done.
_DONE: dict[Operation, str] = {
    "authorize": "authorized",
    "capture": "captured",
    "void": "voided",
    "refund": "refunded",
}
#: What a flow can find away, or unwilling.
PROVIDER, MAILBOX = "provider", "mailbox"
Passes = Callable[[str], None]


def sealed(user_id: str, text: str) -> str:
    """What the gateway seals, sealed so that every run has the same."""
    return f"sealed:{user_id}:{text.encode().hex()}"


class Keys:
    """The keyring: texts open until their user is erased."""

    def __init__(self, durable: Durable, passes: Passes) -> None:
        self._durable, self._passes = durable, passes

    async def unseal(self, user_id: str, text: str) -> str | None:
        return self._open(user_id, text)

    def knows(self, user_id: str, text: str) -> bool:
        return True

    async def caught_up(self) -> None: ...

    async def forget(self, user_id: str) -> int:
        self._passes("before the keys go")
        self._durable.outside.erased.add(user_id)
        self._durable.version += 1
        self._passes("after the keys go")
        return 1

    def reveal(self, user_id: str, text: str | None) -> Mapping[str, Any]:
        opened = self._open(user_id, text) if text else None
        found = json.loads(opened) if opened else {}
        return found if isinstance(found, dict) else {}

    def _open(self, user_id: str, text: str) -> str | None:
        return None if user_id in self._durable.outside.erased else bytes.fromhex(text.rpartition(":")[2]).decode()


class Provider:
    """Moves money in the books of `Outside`; what it is asked twice under one key it does once."""

    def __init__(self, durable: Durable, passes: Passes, card: Card) -> None:
        self._durable, self._passes, self._card = durable, passes, card

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
        asked = ProviderCall(
            payment_id=payment_id,
            operation=operation,
            user_id="",
            amount=amount,
            currency=currency,
            provider_payment_id=provider_payment_id,
            refund_id=refund_id,
        )
        self._passes("before the provider's call")
        outside = self._durable.outside
        if PROVIDER in outside.away:
            raise ProviderUnavailable("no connection")
        anew = idempotency_key not in outside.provider.said
        answer = outside.provider.ask(idempotency_key, asked, self._card)
        if anew and answer.approved:
            reference = provider_payment_id or answer.provider_reference or ""
            at, what = round(self._durable.now.timestamp() * 1000), _DONE[operation]
            done = Entry(len(outside.ledger), at, what, reference, payment_id, amount, refund_id, idempotency_key)
            outside.ledger.append(done)
        self._durable.version += 1
        self._passes("after the provider's call")
        return Answer(
            approved=answer.approved,
            provider_reference=answer.provider_reference,
            method=answer.method,
            error_code=answer.error_code,
        )


class Mailer:
    """A mail server that says 250 to everything, and 550 where nobody is at home."""

    def __init__(self, durable: Durable, passes: Passes) -> None:
        self._durable, self._passes = durable, passes

    async def send(self, message: EmailMessage) -> None:
        if MAILBOX in self._durable.outside.away:
            self._passes("before SMTP 550")
            raise MailRefused("550 no such mailbox")
        self._passes("before SMTP 250")
        self._durable.outside.mails.append((message["Message-ID"], _text(message)))
        self._durable.version += 1
        self._passes("after SMTP 250")


def _text(message: EmailMessage) -> str:
    """Who it goes to and what it says; the boundaries between its parts are drawn anew each time."""
    said = [part.get_content() for part in message.walk() if part.get_content_maintype() == "text"]
    return "\n".join([str(message["To"]), str(message["Subject"]), *said])


class Hooks:
    """Endpoints that take everything."""

    def __init__(self, durable: Durable, passes: Passes) -> None:
        self._durable, self._passes = durable, passes

    async def send(
        self, endpoint_id: str, url: str, message_id: str, body: str, *, form: str, secrets: Sequence[str]
    ) -> Sent:
        self._passes("before the webhook")
        self._durable.outside.hooks.append((endpoint_id, message_id, body))
        self._durable.version += 1
        self._passes("after the webhook")
        return Sent(status=200)


class Receipts:
    """Where receipts would lie as files: none are written any more."""

    async def delete(self, folder: str) -> int:
        return 0


class Endpoints:
    """The endpoints as the log has them."""

    def __init__(self, durable: Durable, topic: str) -> None:
        self._durable, self._topic = durable, topic

    async def start(self) -> None: ...

    async def caught_up(self, timeout: float) -> None: ...  # noqa: ASYNC109

    def items(self) -> Iterator[tuple[str, EndpointKnown]]:
        found: dict[str, EndpointKnown] = {}
        for record in self._durable.read(self._topic):
            known = decode(record.value).data
            assert isinstance(known, EndpointKnown)
            found[known.endpoint_id] = known
        yield from found.items()
