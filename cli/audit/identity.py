"""P5: one event id, one content; and beside the promises: no event without its cause on the log.

Read as: all records of the inboxes, the effects topics and those of ours on the public topics that carry the same event
id and type are the same bytes, what stands beside the document included; a repetition is allowed, another content is
not. And everything that is derived names a cause, and that cause stands on an inbox, an effects topic or a public one.
"""

from __future__ import annotations

from cli.audit import names
from cli.audit.findings import Verdict
from cli.audit.history import History


def check_contents(history: History) -> Verdict:
    verdict = Verdict("P5", "one event id, one content", checked=len(history.identities))
    for event_id, event_type in dict.fromkeys(history.changed):
        verdict.find(event_id, f"{event_type} stands on the log with different contents")
    return verdict


def check_causes(history: History) -> Verdict:
    verdict = Verdict("causes", "no event without its cause on the log", checked=history.derived)
    horizon = history.horizon((*names.CAUSES, *history.dialect.public))
    for orphan in history.uncaused:
        verdict.find(orphan.event_id, f"{orphan.event_type} names no cause")
    for orphan in history.orphans.values():
        if orphan.at < horizon:
            verdict.aged += 1
        elif history.recent(orphan.at):
            verdict.open += 1
        else:
            verdict.find(orphan.event_id, f"{orphan.event_type} was caused by {orphan.cause}, which is not on the log")
    return verdict
