"""What the broker knows of an instance beside its records: its topics, what its groups committed, what it keeps."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from typing import NamedTuple

from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.errors import (
    GroupCoordinatorNotAvailableError,
    GroupLoadInProgressError,
    NotCoordinatorForGroupError,
)

from cli.audit import names
from cli.audit.history import History

#: How long a broker that has just started may take to know its groups' offsets, in seconds.
_LOADING = 5.0
#: How often it is asked while it does not, in seconds.
_AGAIN = 0.3
#: What it answers meanwhile, if it does not simply know of none.
_NOT_YET = (GroupLoadInProgressError, GroupCoordinatorNotAvailableError, NotCoordinatorForGroupError)
#: Whose offsets every instance has that has taken a booking.
_EXPECTED = {*names.REQUIRED, names.PAYMENT_EFFECTS}

Commits = dict[tuple[str, int], int]


class CannotAuditError(Exception):
    """The log cannot be read as a whole; one line says why."""


class Topic(NamedTuple):
    """A topic of the instance: its name on the broker, and how many partitions it has."""

    spelled: str
    partitions: int


async def topics_of(bootstrap: str, history: History) -> dict[str, Topic]:
    """The instance's topics by their plain names; notes on the way what the consumer groups have committed.

    Raises CannotAuditError when they are not those of an instance.
    """
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    try:
        history.committed = await commits_of(admin, history, _LOADING if history.started is None else 0.0)
        wanted = [name for name in await admin.list_topics() if _is_ours(history, name)]
        described = await admin.describe_topics(wanted) if wanted else []
    finally:
        await admin.close()
    found = {
        history.spelling.plain(topic["topic"]) or "": Topic(topic["topic"], len(topic["partitions"]))
        for topic in described
    }
    missing = [name for name in (*names.REQUIRED, *history.dialect.topics) if name not in found]
    if missing:
        name, layout = history.spelling.on_broker(missing[0]), history.dialect.name
        raise CannotAuditError(f"{bootstrap} has no topic {name}: is this the broker of a Vacancy instance ({layout})?")
    return found


def _is_ours(history: History, topic: str) -> bool:
    name = (history.spelling.plain(topic) or "").removesuffix(names.DEAD)
    return name in (*names.CAUSES, *names.CHANGELOGS, names.WORKERS, names.REPLAYS, *history.dialect.public)


async def commits_of(admin: AIOKafkaAdminClient, history: History, patience: float) -> Commits:
    """What the groups come back to. A broker that has just started knows it only after a while.

    It is asked for `patience` seconds until it knows of every inbox, and while it says that it is not ready, which a
    running instance's restarted broker may do as well, for five seconds at least. Then that is raised.
    """
    found: Commits = {}
    began = time.monotonic()
    while True:
        passed = time.monotonic() - began
        try:
            await _ask(admin, history, found)
        except _NOT_YET:
            if passed >= max(patience, _LOADING):
                raise
        else:
            if {topic for topic, _ in found} >= _EXPECTED or passed >= patience:
                return found
        await asyncio.sleep(_AGAIN)


async def _ask(admin: AIOKafkaAdminClient, history: History, found: Commits) -> None:
    """Adds what the broker knows now. Of the public topics only what the gate has looked at counts."""
    gate = history.spelling.on_broker(history.dialect.gate)
    hooks = history.spelling.on_broker(names.WEBHOOK_GROUP)
    for group in await admin.list_consumer_groups():
        counts = {*names.CAUSES, *((names.REPLAYS, *history.dialect.public) if group[0] == gate else ())}
        for tp, committed in (await admin.list_consumer_group_offsets(group[0])).items():
            place = history.spelling.plain(tp.topic) or "", tp.partition
            if place[0] in counts:
                found[place] = max(found.get(place, 0), committed.offset)
            if group[0] == hooks:
                history.heard_upto[place] = committed.offset


async def retention_of(bootstrap: str, topics: Sequence[str]) -> dict[str, int]:
    """For how long each topic keeps its records, in ms; -1 for ever."""
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    try:
        answers = await admin.describe_configs([ConfigResource(ConfigResourceType.TOPIC, topic) for topic in topics])
    finally:
        await admin.close()
    found = {resource[3]: resource[4] for answer in answers for resource in answer.resources}
    return {
        topic: next((int(entry[1]) for entry in entries if entry[0] == "retention.ms"), -1)
        for topic, entries in found.items()
    }
