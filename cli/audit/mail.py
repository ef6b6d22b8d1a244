"""P9: each notification at least once; and the mails and text messages an instance keeps, as the auditor reads them.

Read as: every mail that the notification service remembers as sent lies in the instance's mail folder, in a file named
after the notice, with exactly one Message-ID, which follows from the notice: whoever got it twice knows it again. Each
further delivery lies beside it, in a file of its own; how many there are is noted, as a crash may cause one. Mails of
users who were erased may be gone; how many are is noted as well.
"""

from __future__ import annotations

import sqlite3
from collections import Counter
from contextlib import closing
from email.parser import BytesHeaderParser
from pathlib import Path

from cli.audit.changelog import NoticeRow
from cli.audit.erased import is_gone
from cli.audit.findings import Verdict
from cli.audit.history import History

FOLDER = "mail"
TEXTS = Path("sms") / "sms.sqlite"


def read_mail(data: Path) -> dict[str, list[str]] | None:
    """Notice -> the Message-IDs of its file; None where no mail is kept."""
    folder = data / FOLDER
    if not folder.is_dir():
        return None
    return {file.stem: _message_ids(file.read_bytes()) for file in folder.glob("*.eml")}


def read_again(data: Path) -> Counter[tuple[str, str]]:
    """(Notice, Message-ID) -> how many deliveries there were beyond the first."""
    found: Counter[tuple[str, str]] = Counter()
    for file in (data / FOLDER).glob("*.again"):
        found[file.name.partition(".")[0], ", ".join(_message_ids(file.read_bytes()))] += 1
    return found


def read_texts(data: Path) -> frozenset[str] | None:
    """The references of the text messages that the sandbox took, each once; None where none are kept."""
    file = data / TEXTS
    if not file.exists():
        return None
    with closing(sqlite3.connect(f"{file.absolute().as_uri()}?mode=ro", uri=True)) as db:
        return frozenset(reference for (reference,) in db.execute("SELECT reference FROM texts"))


def _message_ids(mail: bytes) -> list[str]:
    found = BytesHeaderParser().parsebytes(mail).get_all("Message-ID", [])
    return [str(name).strip() for name in found]


def check(history: History) -> Verdict:
    verdict = Verdict("P9", "each notification at least once, and a repeated one is known as one")
    sent = sorted(
        (name, row.content.created)
        for name, row in history.rows["notice"].items()
        if isinstance(row.content, NoticeRow) and row.content[:2] == ("mail", "sent")
    )
    if history.mail is None or not sent:
        verdict.applicable = False
        verdict.note = "no mail was sent" if not sent else "no mail is kept here: it went to a server outside"
        return verdict
    gone, notes = 0, []
    for name, created in sent:
        notice = name.rpartition("|")[2]
        verdict.checked += 1
        ids = history.mail.get(notice)
        if ids is None and is_gone(history, name, created):
            gone += 1
        elif ids is None:
            verdict.find(notice, "is remembered as sent, but there is no such mail")
        elif ids != [_named(notice)]:
            verdict.find(notice, f"its mail has the Message-IDs {', '.join(ids) or 'none'}")
    for (notice, message_id), _ in sorted(history.mail_again.items()):
        if message_id != _named(notice):
            verdict.find(notice, f"was delivered again with the Message-IDs {message_id or 'none'}")
    if again := history.mail_again.total():
        notes.append(f"{again} deliveries were repetitions, under the Message-ID of the first")
    if gone:
        notes.append(f"{gone} mails went with users who were erased")
    verdict.note = "; ".join(notes)
    return verdict


def _named(notice: str) -> str:
    return f"<{notice}@vacancy>"
