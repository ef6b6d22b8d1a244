"""`vacancy settle`: one settlement run over all payments that were taken and not settled yet."""

from __future__ import annotations

import uuid
from collections import defaultdict
from decimal import Decimal
from pathlib import Path

import orjson

from cli import instance
from cli.client import GatewayClient, Money, Refused, Settlement, Unreachable, open_session
from cli.instance import Instance
from cli.loop import run
from cli.options import AsJson, GatewayUrl, RunningDirectory
from cli.problem import Problem


def command(
    data: RunningDirectory = Path(".vacancy"),
    url: GatewayUrl = None,
    as_json: AsJson = False,
) -> None:
    """Book the provider's payouts of all payments that were taken, and print their totals.

    Example: vacancy settle --json
    """
    found = run(settle(instance.find(data, url)))
    print(orjson.dumps(_as_dict(found)).decode() if as_json else _as_text(found))


async def settle(target: Instance) -> Settlement:
    """Settles until nothing remains; what was booked in all. Raises Problem where nothing answers."""
    key, payments = str(uuid.uuid4()), 0
    totals: defaultdict[str, Decimal] = defaultdict(Decimal)
    async with open_session() as session:
        client = GatewayClient(session, target.url, target.api_key)
        while True:
            try:
                step = await client.settle(key=key)
            except Unreachable as error:
                raise Problem(f"nothing answers at {target.url}: is `vacancy up` running? ({error})") from None
            except Refused as refusal:
                raise Problem(f"{target.url} refuses to settle: {refusal}") from None
            payments += step.payments
            for total in step.totals:
                totals[total.currency] += Decimal(total.amount)
            if not step.payments or not step.remaining:  # what remains and is not ours is another run's
                sums = [Money(str(amount), currency) for currency, amount in sorted(totals.items())]
                return Settlement(step.settlement_id, payments, sums, step.remaining)


def _as_dict(found: Settlement) -> dict[str, object]:
    totals = [{"amount": total.amount, "currency": total.currency} for total in found.totals]
    return {
        "settlement_id": found.settlement_id,
        "payments": found.payments,
        "totals": totals,
        "remaining": found.remaining,
    }


def _as_text(found: Settlement) -> str:
    totals = ", ".join(f"{total.amount} {total.currency}" for total in found.totals) or "nothing"
    return f"settled {found.payments} payments: {totals} (run {found.settlement_id})"
