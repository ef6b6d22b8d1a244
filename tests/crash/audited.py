"""What `vacancy audit` says of a run in memory: its own judgement, over the records as it reads them."""

from __future__ import annotations

from cli.audit import names
from cli.audit.dialects import DIALECTS
from cli.audit.filing import add
from cli.audit.findings import Verdict
from cli.audit.history import History
from cli.audit.promises import judge
from cli.audit.wire import Record
from tests.crash.durable import Durable
from tests.crash.flows import Flow


def verdicts(flow: Flow, durable: Durable) -> list[Verdict]:
    """The verdict on every promise, of what a flow came to."""
    history = History()
    history.dialect = DIALECTS[flow.layout]
    for (_, topic, partition), offset in durable.committed.items():
        if topic in names.INBOXES or topic.endswith(".effects"):
            history.committed[topic, partition] = offset
    for topic, partition in sorted(durable.logs, key=_phase):
        for each in durable.logs[topic, partition]:
            add(history, Record(topic, partition, each.offset, each.timestamp, each.key, each.value, each.headers))
    history.ledger = durable.outside.ledger
    return judge(history)


def broken(flow: Flow, durable: Durable) -> dict[str, str]:
    """The promises that are found broken, each with its first finding."""
    return {
        each.promise: f"{each.findings[0].subject}: {each.findings[0].what}"
        for each in verdicts(flow, durable)
        if each.state == "FAILED"
    }


def _phase(place: tuple[str, int]) -> int:
    """Dead letters, changelogs, what causes things, the rest: the order in which the audit reads."""
    topic = place[0]
    return [topic.endswith(names.DEAD), topic in names.CHANGELOGS, topic in names.CAUSES, True].index(True)
