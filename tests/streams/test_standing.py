"""Where a group stands, as its watchdog sees it: what waits for others is not stuck, and what does not is."""

from __future__ import annotations

from types import SimpleNamespace
from typing import cast

import pytest
from faust.types import TP

from streams.group import GroupApp
from streams.standing import Standing

INBOX, EFFECTS = TP("vacancy.payment.inbox", 0), TP("vacancy.payment.effects", 0)


class Group:
    """A group with a batch handed over and not done in each of its topics."""

    def __init__(self) -> None:
        self.handed = {INBOX: (5, 3), EFFECTS: (7, 1)}
        self.fresh = self.behind_breaker = False
        consumer = SimpleNamespace(underway=lambda: self.handed)
        lease = SimpleNamespace(fresh=lambda: self.fresh)
        app = SimpleNamespace(consumer=consumer)
        self.group = SimpleNamespace(name="payment", ready=True, lease=lease, app=app)
        self.standing = Standing(cast("GroupApp", self.group), lambda: self.behind_breaker, 30.0)

    @property
    def waiting(self) -> list[str]:
        return [seen.name for seen in self.standing.seen() if seen.waiting]


@pytest.fixture
def payment() -> Group:
    group = Group()
    group.fresh = True
    return group


def test_a_group_and_each_of_its_partitions_has_to_move(payment: Group) -> None:
    seen = {each.name: each.patience for each in payment.standing.seen() if each.waiting}
    assert seen == {"payment": 30.0, "vacancy.payment.effects/0": 300.0, "vacancy.payment.inbox/0": 300.0}
    payment.handed = {INBOX: (5, 5), EFFECTS: (7, 1)}
    assert payment.waiting == ["vacancy.payment.effects/0"], "one call may take longer than the group's patience"


def test_calls_behind_a_breaker_excuse_calls_and_no_decision(payment: Group) -> None:
    payment.behind_breaker = True
    assert payment.waiting == ["payment", "vacancy.payment.inbox/0"]
    payment.handed = {EFFECTS: (7, 1)}
    assert payment.waiting == []


def test_without_a_fresh_lease_or_its_rows_a_group_waits_for_others(payment: Group) -> None:
    payment.group.ready = False
    assert payment.waiting == []
    payment.group.ready, payment.fresh = True, False
    assert payment.waiting == []
