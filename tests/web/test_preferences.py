"""What a user wants to hear where, over HTTP, by the link of a mail, and as it shows in the app."""

from __future__ import annotations

import re

import pytest

from streams.events.notices import MarkAllRead, SendMail
from tests.web.conftest import LINKS, Gateway, day, stay
from tests.web.test_inbox import ADA, listed, notice, tell

PREFERENCES = "/api/users/ada/preferences"
DEFAULTS = {"user_id": "ada", "mail": True, "sms": True, "app": True, "locale": None}
LINK = LINKS.unsubscribe("ada").removeprefix("https://book.example.com")


async def mails(gateway: Gateway) -> bool:
    answer = await gateway.call("GET", PREFERENCES)
    return bool((await answer.json())["mail"])


async def test_who_never_chose_hears_on_every_channel(gateway: Gateway) -> None:
    assert await (await gateway.call("GET", PREFERENCES)).json() == DEFAULTS


async def test_a_choice_is_answered_once_it_holds(gateway: Gateway) -> None:
    wanted = {"mail": False, "sms": True, "app": True, "locale": "de-CH"}
    answer = await gateway.call("PUT", PREFERENCES, wanted)
    assert (answer.status, await answer.json()) == (200, {"user_id": "ada", **wanted})
    assert await (await gateway.call("GET", PREFERENCES)).json() == {"user_id": "ada", **wanted}
    again = await gateway.call("PUT", PREFERENCES, {"mail": True, "sms": True, "app": True})
    assert await again.json() == DEFAULTS


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"mail": True, "sms": True}, "app"),
        ({"mail": "yes", "sms": True, "app": True}, "mail"),
        ({"mail": True, "sms": True, "app": True, "locale": "klingon"}, "locale"),
        ({"mail": True, "sms": True, "app": True, "locale": "xx-YY"}, "locale"),
        ({"mail": True, "sms": True, "app": True, "push": True}, "push"),
    ],
)
async def test_a_choice_that_is_none_is_named(gateway: Gateway, body: dict[str, object], field: str) -> None:
    answer = await gateway.call("PUT", PREFERENCES, body)
    assert answer.status == 422
    assert (await answer.json())["errors"][0]["field"] == field


async def test_declined_mail_shows_in_the_app(gateway: Gateway) -> None:
    await gateway.call("PUT", PREFERENCES, {"mail": False, "sms": True, "app": True})
    await tell(gateway, 1, channel="mail")
    assert [each["id"] for each in (await listed(gateway))["notifications"]] == [notice(1)]
    assert not any(isinstance(each.data, SendMail) for each in gateway.instance.published)


async def test_news_declined_on_two_channels_shows_once(gateway: Gateway) -> None:
    await gateway.call("PUT", PREFERENCES, {"mail": False, "sms": False, "app": True})
    await tell(gateway, 1, channel="sms", cause_id="same")
    await tell(gateway, 2, channel="mail", cause_id="same")
    assert [each["id"] for each in (await listed(gateway))["notifications"]] == [notice(2)]


# --- the link of a mail ---


async def test_only_a_post_ends_the_mail(gateway: Gateway) -> None:
    page = await gateway.call("GET", LINK, key=None)
    assert (page.status, page.content_type) == (200, "text/html")
    assert "default-src 'none'" in page.headers["Content-Security-Policy"]
    text = await page.text()
    assert "ada" not in text.replace(LINK.rpartition("/")[2], "")
    assert await mails(gateway)
    assert re.search(r'<form method="post" action="([^"]+)">', text)


async def test_one_click_ends_the_mail_and_another_brings_it_back(gateway: Gateway) -> None:
    ended = await gateway.client.post(LINK, data={"List-Unsubscribe": "One-Click"})
    assert ended.status == 200
    assert not await mails(gateway)
    assert (await gateway.client.post(f"{LINK}/resubscribe")).status == 200
    assert await mails(gateway)


async def test_the_other_channels_stay_as_they_were(gateway: Gateway) -> None:
    await gateway.call("PUT", PREFERENCES, {"mail": True, "sms": False, "app": True, "locale": "fr"})
    await gateway.client.post(LINK)
    known = await (await gateway.call("GET", PREFERENCES)).json()
    assert known == {"user_id": "ada", "mail": False, "sms": False, "app": True, "locale": "fr"}


@pytest.mark.parametrize(("method", "path"), [("GET", ""), ("POST", ""), ("POST", "/resubscribe")])
async def test_a_link_that_is_not_ours_is_a_page_that_says_so(gateway: Gateway, method: str, path: str) -> None:
    answer = await gateway.call(method, f"/unsubscribe/ImFkYSI.forged{path}", key=None)
    assert (answer.status, answer.content_type) == (404, "text/html")
    assert gateway.instance.appended == []


async def test_what_needs_a_key_still_does(gateway: Gateway) -> None:
    assert (await gateway.call("GET", PREFERENCES, key=None)).status == 401
    assert (await gateway.call("DELETE", LINK, key=None)).status in (401, 405)


# --- what was not read ---


@pytest.mark.proves("CAMP-18")
async def test_what_was_not_read_is_counted_and_listed_by_itself(gateway: Gateway) -> None:
    for number in range(3):
        await tell(gateway, number)
    await gateway.call("POST", f"{ADA}/{notice(1)}/read")
    body = await listed(gateway, f"{ADA}?unread=true&limit=1")
    assert (body["unread"], [each["id"] for each in body["notifications"]]) == (2, [notice(2)])
    rest = await listed(gateway, f"{ADA}?unread=true&limit=1&before={body['next']}")
    assert ([each["id"] for each in rest["notifications"]], rest["next"]) == ([notice(0)], None)
    assert (await gateway.call("GET", f"{ADA}?unread=1")).status == 422


async def test_all_are_marked_as_read_a_hundred_at_a_time(gateway: Gateway) -> None:
    for number in range(130):
        await tell(gateway, number)
    gateway.instance.appended.clear()
    answers = [await (await gateway.call("POST", f"{ADA}/read")).json() for _ in range(2)]
    assert answers == [{"user_id": "ada", "marked": 130}, {"user_id": "ada", "marked": 0}]
    assert [type(event) for event in gateway.instance.appended] == [MarkAllRead, MarkAllRead]
    assert (await listed(gateway))["unread"] == 0


# --- who left a number ---


@pytest.mark.parametrize(("phone", "usable"), [("07700 900123", False), ("0044 7700 900123", True), (None, False)])
async def test_a_booking_knows_whether_it_has_a_number(gateway: Gateway, phone: str | None, usable: bool) -> None:
    await gateway.unit()
    guest = stay()["guest"] | ({"phone": phone} if phone else {})
    await gateway.book(guest=guest, check_in=str(day(40)), check_out=str(day(41)))
    about = next(each.data.about for each in gateway.instance.published if hasattr(each.data, "about"))
    assert about.phone is usable
