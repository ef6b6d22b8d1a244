"""The promises in their order, each with the function that judges it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from cli.audit import (
    deadletters,
    hooks,
    identity,
    inventory,
    losses,
    money,
    notices,
    outcomes,
    provider,
    receipts,
    rows,
)
from cli.audit.findings import Verdict
from cli.audit.history import History

CHECKS: Final[tuple[Callable[[History], Verdict], ...]] = (
    outcomes.check,
    inventory.check,
    money.check,
    provider.check_refunds,
    identity.check_contents,
    rows.check,
    losses.check,
    deadletters.check,
    receipts.check,
    notices.check,
    hooks.check,
    identity.check_causes,
)


def judge(history: History) -> list[Verdict]:
    """The verdict on every promise. Pure: the same history, the same verdicts."""
    return [check(history) for check in CHECKS]
