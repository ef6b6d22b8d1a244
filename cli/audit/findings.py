"""What an audit says: a verdict on each promise, and the findings that broke it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, NamedTuple

#: Findings shown of one promise; all are counted.
SHOWN = 20


class Finding(NamedTuple):
    """One violation: whose (a booking, payment, event or place on the log), and what is wrong with it."""

    subject: str
    what: str


@dataclass(slots=True)
class Verdict:
    """The verdict on one promise."""

    promise: str
    title: str
    #: How many bookings, holds, payments... were judged.
    checked: int = 0
    #: Those that cannot be judged yet: still on their way when the log was read.
    open: int = 0
    #: Those that cannot be judged any more: older than what the topics keep.
    aged: int = 0
    findings: list[Finding] = field(default_factory=list)
    #: Why the promise, or a part of it, was not checked.
    note: str = ""
    applicable: bool = True
    #: Why the promise is not given here: then what was found does not break it.
    excepted: str = ""

    @property
    def state(self) -> str:
        if self.excepted:
            return f"excepted ({self.excepted})"
        if self.findings:
            return "FAILED"
        return "ok" if self.applicable else "not applicable"

    def find(self, subject: str, what: str) -> None:
        self.findings.append(Finding(subject, what))

    def as_json(self) -> dict[str, Any]:
        return {
            "promise": self.promise,
            "title": self.title,
            "state": self.state,
            "checked": self.checked,
            "open": self.open,
            "aged": self.aged,
            "found": len(self.findings),
            "findings": [finding._asdict() for finding in self.findings[:SHOWN]],
            "note": self.note,
        }


def clean(verdicts: Iterable[Verdict]) -> bool:
    """Whether no promise was found broken."""
    return not any(verdict.findings and not verdict.excepted for verdict in verdicts)
