"""Users and records as other programs tell of them: taken over, and not announced a second time (design 3)."""

from __future__ import annotations

from typing import Any

from domain.admission import Inadmissible
from domain.records import FIRST
from domain.users import NEXT
from streams.events.records import ChangeRecord, OpenRecord, RecordNews
from streams.events.users import ChangeUser, RegisterUser, UserCreated, UserNews


def user_of(news: UserNews, message_id: str) -> RegisterUser | ChangeUser:
    """The user as another program tells of it. Raises Inadmissible: it says nothing of the user."""
    if not news.personal:
        raise Inadmissible("the user has no e-mail and no name")
    if isinstance(news, UserCreated):
        return RegisterUser(user_id=news.user_id, personal=news.personal, announced=True, told_at=news.created_at)
    said = news.personal
    return ChangeUser(user_id=news.user_id, personal=said, revision=NEXT, announced=True, message_id=message_id)


def record_of(news: RecordNews, message_id: str) -> OpenRecord | ChangeRecord:
    """The record as another program tells of it. Raises Inadmissible: without content, or beginning in no status."""
    if not news.content:
        raise Inadmissible(f"the {news.kind} has no content")
    said: dict[str, Any] = {"record_id": news.record_id, "kind": news.kind, "user_id": news.user_id}
    said |= {"content": news.content, "announced": True}
    if news.action != "created":
        status = news.status if news.action == "updated" and news.kind != "health" else None
        return ChangeRecord(**said, action=news.action, status=status, message_id=message_id)
    first = "created" if news.kind == "health" else news.status
    if first not in FIRST[news.kind]:
        raise Inadmissible(f"no {news.kind} begins {first!r}, but {', '.join(sorted(FIRST[news.kind]))}")
    return OpenRecord(**said, status=first)
