"""Our payments beside the provider's ledger: what differs is named, what is under way is not."""

from __future__ import annotations

from decimal import Decimal

import orjson
import pytest

from cli.audit.reconciling import Reconciliation, reconcile
from cli.payments import as_dict, as_text
from tests.cli.audit.clean import clean
from tests.cli.audit.story import PRICE, Story


def compared(story: Story) -> Reconciliation:
    story.settle()
    history = story.history()
    assert history.ledger is not None
    return reconcile(history, history.ledger)


def shown(found: Reconciliation) -> dict[str, str]:
    return {difference.payment_id: difference.kind for difference in found.differences}


@pytest.mark.proves("HTL-05")
def test_where_both_agree_nothing_is_found() -> None:
    found = compared(clean())
    assert (shown(found), found.under_way) == ({}, 0)
    assert found.compared >= 7
    assert as_text(found) == f"{found.compared} payments compared, 0 differ, 0 under way"


def test_a_charge_we_know_nothing_of_is_missing_here() -> None:
    story = clean()
    story.enter("captured", "pay-unknown", PRICE, key="by hand")
    found = compared(story)
    assert shown(found) == {"pay-unknown": "missing here"}
    (line,) = orjson.loads(orjson.dumps(as_dict(found)))["differences"]
    assert (line["here"], line["there"]) == ("nothing", "captured, 199.90 captured, 0 refunded")


def test_a_payment_the_provider_never_had_is_missing_there() -> None:
    story = clean()
    story.ledger[:] = [entry for entry in story.ledger if entry.reference != "pay-a"]
    assert shown(compared(story)) == {"pay-a": "missing there"}


def test_another_amount_is_found() -> None:
    story = clean()
    story.enter("refunded", "pay-h", Decimal("0.01"), key="by hand", refund_id="by hand")
    assert shown(compared(story)) == {"pay-h": "other amount"}


def test_another_state_is_found() -> None:
    story = clean()
    place = next(n for n, entry in enumerate(story.ledger) if (entry.reference, entry.kind) == ("pay-a", "captured"))
    story.ledger[place] = story.ledger[place]._replace(kind="voided")
    assert shown(compared(story)) == {"pay-a": "other state"}


def test_what_is_under_way_is_not_compared() -> None:
    story = clean()
    story.pay("a", "refund", cause=None, refund_id="r", amount=1.0, ordered_by="operator")
    history = story.history()
    assert history.ledger is not None
    found = reconcile(history, history.ledger)
    assert (shown(found), found.under_way) == ({}, 1)
