"""Users who were erased: what was sent to them is gone with them, and says nothing against the platform.

Read as: the row of the user service says when, or news of it does where the user came back since. A notice of that user
which is older has neither a mail nor a text message any more.
"""

from __future__ import annotations

from urllib.parse import quote

from cli.audit.history import GRACE, History
from cli.audit.wire import Letter, Record, milliseconds, short

#: Before every notice, also with what may be late.
_NEVER = -GRACE - 1


def news_told(history: History, record: Record, letter: Letter) -> None:
    """Files that a user was erased."""
    user, at = quote(letter.data["user_id"], safe=""), milliseconds(letter.data["erased_at"])
    history.erased[user] = max(history.erased.get(user, 0), at)


def answered(history: History, record: Record, letter: Letter) -> None:
    """Files that the order to forget a user was carried out: the answer names it as its cause."""
    history.done.add(short(letter.cause or ""))


def is_gone(history: History, notice: str, created: int) -> bool:
    """Whether the user of a notice ("user|notice", the user quoted) was erased after it was made, at `created` in ms.

    What was under way may have been made a moment later.
    """
    return created <= erased_at(history, notice.rpartition("|")[0]) + GRACE


def erased_at(history: History, user: str) -> int:
    """When a user, quoted, was last erased, in ms; long ago where that never was."""
    row = history.rows["user"].get(user)
    noted = row.content if row is not None and isinstance(row.content, int) else _NEVER
    return max(noted, history.erased.get(user, _NEVER))
