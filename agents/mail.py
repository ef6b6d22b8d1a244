"""The mail group's agents, where a layout has one: it reads the news to write of, and hands the mails over.

Its notices are decided by the notification service, whose rows remember them; a mail handed over twice is one mail.
"""

from __future__ import annotations

from agents.follow import follow
from agents.lazy import lazy_app
from agents.notification import send_mails
from agents.tools import Tools
from domain.notices import notices_of
from streams.group import GroupApp


def attach(mail: GroupApp, tools: Tools) -> None:
    """Attaches the agents to the mail group's App."""
    notices = {"mail": tools.runtime.layout.notices.get("mail", {})}
    follow(mail, tools, lambda news: notices_of(news, notices))
    # Another App owns the rows.
    send_mails(mail, tools, lambda partition, effect: False)


__getattr__ = lazy_app("mail")
