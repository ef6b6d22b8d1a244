"""The local inbox and the app's notifications over HTTP."""

from __future__ import annotations

import os
import uuid
from contextlib import closing
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from adapters.letters import Letter
from adapters.mailbox import Mailbox
from adapters.messages import Envelope, compose
from adapters.textbox import FOLDER, Textbox
from streams.events.notices import MailHandedOver, MarkRead, Notify
from tests.web.conftest import Gateway
from web.context import CONTEXT

AT = datetime(2026, 11, 21, 12, tzinfo=UTC)
ADA = "/api/users/ada/notifications"


def notice(number: int) -> str:
    return str(uuid.UUID(int=number))


async def tell(gateway: Gateway, number: int, **more: Any) -> None:
    given: dict[str, Any] = {
        "notice_id": notice(number),
        "user_id": "ada",
        "channel": "app",
        "template": "booking_confirmed",
        "facts": {"confirmation_number": f"RSV-2026-{number:06d}"},
        "booking_id": "b1",
        "cause_id": f"e{number}",
        "news": "booking.booking.confirmed",
    }
    gateway.instance.now += timedelta(seconds=1)
    await gateway.instance.append(Notify(**given | more), source="test")


async def listed(gateway: Gateway, path: str = ADA) -> dict[str, Any]:
    answer = await gateway.call("GET", path)
    assert answer.status == 200, await answer.text()
    body: dict[str, Any] = await answer.json()
    return body


# --- mail ---


def deliver(gateway: Gateway, number: int, to: str, letter: Letter) -> None:
    """Puts a mail into the local inbox, as its server does."""
    envelope = Envelope(notice_id=notice(number), sender="Rooms <rooms@example.com>", to=to, at=AT)
    path = Mailbox(gateway.instance.directory / "mail").keep(compose(letter, envelope).as_bytes())
    os.utime(path, ns=(number, number))


@pytest.mark.proves("CAMP-16")
async def test_the_inbox_shows_local_mail_newest_first(gateway: Gateway) -> None:
    assert await (await gateway.call("GET", "/dev/inbox")).json() == []
    for number, to in enumerate(("ada@example.com", "bob@example.com")):
        deliver(gateway, number, to, Letter(f"News {number}", "Hello"))
    newest, oldest = await (await gateway.call("GET", "/dev/inbox")).json()
    assert newest["to"] == "bob@example.com"
    assert oldest == {
        "to": "ada@example.com",
        "subject": "News 0",
        "text": "Hello",
        "message_id": f"<{notice(0)}@vacancy>",
        "at": "2026-11-21T12:00:00Z",
        "channel": "mail",
        "html": False,
    }
    assert await (await gateway.call("GET", "/dev/inbox?to=ada@example.com")).json() == [oldest]
    assert await (await gateway.call("GET", "/dev/inbox?limit=1")).json() == [newest]


async def test_the_inbox_shows_text_messages_too(gateway: Gateway) -> None:
    deliver(gateway, 1, "ada@example.com", Letter("News", "Hello"))
    with closing(Textbox(gateway.instance.directory / FOLDER, clock=lambda: AT + timedelta(hours=1))) as box:
        message_id = box.keep("n1", "+491511234567", "See you tomorrow.")
    text, mail = await (await gateway.call("GET", "/dev/inbox")).json()
    assert text == {
        "to": "+491511234567",
        "subject": "",
        "text": "See you tomorrow.",
        "message_id": message_id,
        "at": "2026-11-21T13:00:00Z",
        "channel": "sms",
        "html": False,
    }
    assert mail["channel"] == "mail"
    for number in ("%2B491511234567", "+491511234567", "491511234567"):
        assert await (await gateway.call("GET", f"/dev/inbox?to={number}")).json() == [text]
    assert await (await gateway.call("GET", "/dev/inbox?limit=1")).json() == [text]


async def test_a_mail_is_shown_as_a_page_in_which_nothing_runs(gateway: Gateway) -> None:
    deliver(gateway, 1, "ada@example.com", Letter("News", "Hello", "<p>Hello <b>Ada</b></p>"))
    deliver(gateway, 2, "ada@example.com", Letter("<News>", "<Hello>"))
    for name in (f"{notice(1)}@vacancy", f"%3C{notice(1)}@vacancy%3E"):
        answer = await gateway.call("GET", f"/dev/inbox/{name}")
        assert (answer.status, answer.content_type, await answer.text()) == (
            200,
            "text/html",
            "<p>Hello <b>Ada</b></p>",
        )
    policy = answer.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert policy.endswith("sandbox")
    plain = await gateway.call("GET", f"/dev/inbox/{notice(2)}@vacancy")
    assert "<pre>&lt;Hello&gt;</pre>" in await plain.text()


@pytest.mark.parametrize("name", [f"{notice(9)}@vacancy", "x", "..%2F..%2Fsecret", "%00"])
async def test_a_mail_that_is_not_there_is_404(gateway: Gateway, name: str) -> None:
    answer = await gateway.call("GET", f"/dev/inbox/{name}")
    assert (answer.status, answer.content_type) == (404, "application/problem+json")


@pytest.mark.parametrize("path", ["/dev/inbox", f"/dev/inbox/{notice(1)}@vacancy"])
async def test_what_goes_to_servers_is_not_shown_here(gateway: Gateway, path: str) -> None:
    deliver(gateway, 1, "ada@example.com", Letter("News", "Hello"))
    context = gateway.client.app[CONTEXT]
    object.__setattr__(context, "kept_here", frozenset())
    answer = await gateway.call("GET", path)
    assert answer.status == 404
    assert "smtp_url" in (await answer.json())["detail"]


@pytest.mark.parametrize("limit", ["0", "501", "-1", "x", "1.5", "٣", ""])
async def test_a_limit_that_is_none_is_named(gateway: Gateway, limit: str) -> None:
    answer = await gateway.call("GET", f"/dev/inbox?limit={limit}")
    assert answer.status == 422
    assert (await answer.json())["errors"][0]["field"] == "limit"


async def test_the_inbox_needs_a_key(gateway: Gateway) -> None:
    assert (await gateway.call("GET", "/dev/inbox", key=None)).status == 401


# --- the app ---


@pytest.mark.proves("CAMP-10", "CAMP-18")
async def test_a_user_reads_what_was_told_newest_first(gateway: Gateway) -> None:
    assert await listed(gateway) == {"user_id": "ada", "unread": 0, "notifications": [], "next": None}
    for number in (3, 1, 2):
        await tell(gateway, number)
    await tell(gateway, 4, user_id="bob")
    body = await listed(gateway)
    assert [each["id"] for each in body["notifications"]] == [notice(2), notice(1), notice(3)]
    assert body["notifications"][2] == {
        "id": notice(3),
        "template": "booking_confirmed",
        "subject": "Your booking RSV-2026-000003 is confirmed",
        "text": "Your booking is confirmed.\n\nConfirmation number: RSV-2026-000003",
        "facts": {"confirmation_number": "RSV-2026-000003"},
        "booking_id": "b1",
        "news": "booking.booking.confirmed",
        "at": "2026-11-21T12:00:01Z",
        "read": False,
    }


async def test_a_long_list_is_read_in_pages(gateway: Gateway) -> None:
    for number in range(5):
        await tell(gateway, number)
    seen, path = [], f"{ADA}?limit=2"
    while True:
        body = await listed(gateway, path)
        seen += [each["id"] for each in body["notifications"]]
        if body["next"] is None:
            break
        path = f"{ADA}?limit=2&before={body['next']}"
    assert seen == [notice(number) for number in (4, 3, 2, 1, 0)]


async def test_a_mail_with_nowhere_to_go_shows_once(gateway: Gateway) -> None:
    for number, cause in ((1, "both"), (2, "mail only")):
        await tell(gateway, number, channel="mail", cause_id=cause)
        answer = MailHandedOver(
            notice_id=notice(number), user_id="ada", effect_id="f", message_id="<m>", error="no_address"
        )
        await gateway.instance.append(answer, source="test")
    await tell(gateway, 3, cause_id="both")
    assert [each["id"] for each in (await listed(gateway))["notifications"]] == [notice(3), notice(2)]


async def test_a_notification_is_marked_as_read_once(gateway: Gateway) -> None:
    await tell(gateway, 1)
    gateway.instance.appended.clear()
    for _ in range(2):
        answer = await gateway.call("POST", f"{ADA}/{notice(1)}/read")
        assert answer.status == 200
        assert (await answer.json())["read"] is True
    assert gateway.instance.appended == [MarkRead(user_id="ada", notice_id=notice(1))]
    assert [each["read"] for each in (await listed(gateway))["notifications"]] == [True]


@pytest.mark.parametrize(
    "path", [f"{ADA}/{notice(9)}/read", f"{ADA}/x/read", f"/api/users/bob/notifications/{notice(1)}/read"]
)
async def test_only_a_users_own_notification_is_marked(gateway: Gateway, path: str) -> None:
    await tell(gateway, 1)
    assert (await gateway.call("POST", path)).status == 404


async def test_a_mail_is_no_notification_of_the_app(gateway: Gateway) -> None:
    await tell(gateway, 1, channel="mail")
    assert (await gateway.call("POST", f"{ADA}/{notice(1)}/read")).status == 404
    assert (await listed(gateway))["notifications"] == []


@pytest.mark.parametrize(
    ("query", "field"), [("limit=101", "limit"), ("before=x", "before"), ("before=000000000000001.|", "before")]
)
async def test_a_page_that_is_none_is_named(gateway: Gateway, query: str, field: str) -> None:
    answer = await gateway.call("GET", f"{ADA}?{query}")
    assert answer.status == 422
    assert (await answer.json())["errors"][0]["field"] == field
