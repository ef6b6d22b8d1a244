"""Which App hands the mails over: the mail group's where the document has one, else the notification service's."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest

from agents import mail, notification, receipt
from agents.tools import Tools
from config.settings import Settings
from streams.app import service_app
from streams.group import GroupApp, Runtime, consumer_app
from streams.layout import Group, Layout, load_layout
from streams.listening import Listener
from streams.signing import Signer
from streams.voice import Voice
from tables.notifications import Notifications
from tables.receipts import Receipts
from tests.memory_log import MemoryLog

ALONE = load_layout("catalogue")
BESIDE = replace(
    ALONE, groups={**ALONE.groups, "mail": Group("email-consumer-group", "mail", ("booking.booking.created",))}
)


def tools(layout: Layout, directory: Path) -> Tools:
    log, signer = MemoryLog(), Signer(b"k" * 32)
    runtime = Runtime(
        bootstrap="127.0.0.1:1",
        layout=layout,
        directory=directory,
        slot=1,
        session_timeout=6.0,
        publisher=log,
        voice=Voice(log, layout, signer),
    )
    found = SimpleNamespace(
        settings=Settings(data=directory), runtime=runtime, listener=Listener(layout, signer), keyring=None
    )
    return cast("Tools", found)


def agents_of(group: GroupApp) -> set[str]:
    """The names of the agents that were attached to an App."""
    return set(group.app.agents)


@pytest.mark.proves("CAMP-08", "CAMP-10", "CAT-27")
@pytest.mark.parametrize(("layout", "mails"), [(ALONE, {"send-mail"}), (BESIDE, set())], ids=["alone", "beside"])
async def test_the_notification_service_mails_where_nobody_else_does(
    tmp_path: Path, layout: Layout, mails: set[str]
) -> None:
    given = tools(layout, tmp_path)
    built = service_app(layout.services["notification"], Notifications(), given.runtime)
    notification.attach(built, given)
    assert agents_of(built) == {"decide-notices", "follow-notification"} | mails


@pytest.mark.proves("CAMP-08", "CAMP-15")
async def test_the_mail_group_reads_its_topics_and_hands_the_mails_over(tmp_path: Path) -> None:
    given = tools(BESIDE, tmp_path)
    group = consumer_app("mail", given.runtime)
    mail.attach(group, given)
    assert agents_of(group) == {"follow-mail", "send-mail"}
    assert group.app.conf.id == "email-consumer-group"


@pytest.mark.proves("CAT-28")
async def test_the_receipt_service_decides_reads_and_writes(tmp_path: Path) -> None:
    given = tools(ALONE, tmp_path)
    built = service_app(ALONE.services["receipt"], Receipts(ALONE.partitions), given.runtime)
    receipt.attach(built, given)
    assert agents_of(built) == {"decide-receipts", "follow-receipt", "write-receipt"}
