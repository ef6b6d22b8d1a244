"""Dead letters over HTTP: found page by page, shown whole, edited, replayed and dropped, each named when refused."""

from __future__ import annotations

import base64
from typing import Any

import pytest

from streams.dead_letters import Class, dead_letter
from streams.services import BOOKING
from tests.memory_log import Stored
from tests.web.conftest import Gateway

PATH = "/api/dead-letters"
INBOX = BOOKING.inbox


def bury(gateway: Gateway, value: bytes, kind: Class = "undecodable", *headers: tuple[str, bytes]) -> None:
    origin = Stored(INBOX, 1, 0, 1, b"k", value, headers)
    letter = dead_letter(origin, reason=f"because of {len(value)} bytes", kind=kind, group="booking-group")
    gateway.instance.dead.append(f"{INBOX}.dlq", 0, letter)


async def said(gateway: Gateway, method: str, path: str, body: object = None, status: int = 200) -> dict[str, Any]:
    answer = await gateway.call(method, f"{PATH}{path}", body)
    assert answer.status == status, await answer.text()
    found: dict[str, Any] = await answer.json()
    return found


async def test_letters_come_page_by_page_with_counts(gateway: Gateway) -> None:
    for number in range(5):
        bury(gateway, b"x" * number, "refused" if number == 4 else "undecodable")
    page = await said(gateway, "GET", "?limit=2")
    assert [each["id"] for each in page["letters"]] == [f"{INBOX}/0", f"{INBOX}/1"]
    assert page["counts"] == [
        {"topic": INBOX, "class": "refused", "letters": 1, "unhandled": 1},
        {"topic": INBOX, "class": "undecodable", "letters": 4, "unhandled": 4},
    ]
    rest = await said(gateway, "GET", f"?limit=9&after={page['next']}")
    assert [each["offset"] for each in rest["letters"]] == [2, 3, 4]
    assert rest["next"] is None
    refused = await said(gateway, "GET", "?class=refused&reason=BYTES&key=k&group=booking-group&since=1970-01-01")
    assert [(each["offset"], each["class"], each["status"]) for each in refused["letters"]] == [(4, "refused", "open")]
    assert (await said(gateway, "GET", "?until=1970-01-01T00:00:00Z"))["letters"] == []


@pytest.mark.parametrize(
    "query", ["topic=none", "class=none", "status=gone", "since=then", "until=x", "after=1", "limit=201"]
)
async def test_a_filter_that_means_nothing_is_named(gateway: Gateway, query: str) -> None:
    problem = await said(gateway, "GET", f"?{query}", status=422)
    assert problem["errors"][0]["field"] == query.partition("=")[0]


async def test_a_letter_is_shown_whole_edited_and_its_copy_replayed(gateway: Gateway) -> None:
    bury(gateway, b'{"data": {"quantity": 0}}', "undecodable", ("x", b"1"))
    bury(gateway, b"\xff")
    shown = await said(gateway, "GET", f"/{INBOX}/0")
    assert (shown["value"], shown["headers"], shown["key"]) == (
        {"data": {"quantity": 0}},
        [{"name": "x", "value": "1"}],
        "k",
    )
    assert (await said(gateway, "GET", f"/{INBOX}/1"))["value_base64"] == base64.b64encode(b"\xff").decode()
    asked = {"set": {"data.quantity": 2, "data.price": 1.5}, "note": "a typo"}
    copied = await said(gateway, "POST", f"/{INBOX}/0/edit", asked, 201)
    assert copied == {"id": f"{INBOX}/0", "copied_to": f"{INBOX}/2"}
    assert (await said(gateway, "POST", f"/{INBOX}/2/replay", {}))["done"] == [f"{INBOX}/2"]
    [again] = gateway.instance.dead.read(INBOX, 1)
    assert (again.value, again.key) == (b'{"data":{"quantity":2,"price":1.5}}', b"k")
    assert dict(again.headers) == {"x": b"1", "vacancy-replays": b"1"}
    # What was handled is not handled again unless somebody insists.
    problem = await said(gateway, "POST", f"/{INBOX}/0/edit", asked, 409)
    assert "edited before" in problem["detail"]
    assert (await said(gateway, "POST", f"/{INBOX}/0/drop", {"force": True}))["done"] == [f"{INBOX}/0"]
    statuses = {each["id"]: each["status"] for each in (await said(gateway, "GET", "?status=all"))["letters"]}
    assert statuses == {f"{INBOX}/0": "dropped", f"{INBOX}/1": "open", f"{INBOX}/2": "replayed"}


async def test_many_are_replayed_at_once_after_a_dry_run(gateway: Gateway) -> None:
    for _ in range(4):
        bury(gateway, b"{", "decision-failed")
    bury(gateway, b"{", "decision-failed", ("vacancy-replays", b"3"))
    bury(gateway, b"[")
    wanted = {"class": "decision-failed", "limit": 3}
    dry = await said(gateway, "POST", "/replay", {**wanted, "dry_run": True})
    assert (dry["dry_run"], len(dry["done"]), dry["more"]) == (True, 3, True)
    assert gateway.instance.dead.read(INBOX, 1) == []
    rest = await said(gateway, "POST", "/replay", {**wanted, "dry_run": True, "after": dry["next"]})
    assert (rest["done"], rest["more"], rest["next"]) == ([f"{INBOX}/3"], False, None)
    assert len((await said(gateway, "POST", "/replay", wanted))["done"]) == 3
    assert (await said(gateway, "POST", "/replay", wanted))["done"] == [f"{INBOX}/3"]
    assert len(gateway.instance.dead.read(INBOX, 1)) == 4
    # The one that keeps failing is not among those that are open.
    held = await said(gateway, "POST", "/replay", {**wanted, "status": "quarantined"})
    assert [each["id"] for each in held["refused"]] == [f"{INBOX}/4"]
    assert (await said(gateway, "POST", "/drop", {**wanted, "status": "quarantined"}))["done"] == [f"{INBOX}/4"]
    counts = (await said(gateway, "GET", ""))["counts"]
    assert [(each["class"], each["letters"], each["unhandled"]) for each in counts] == [
        ("decision-failed", 5, 0),
        ("undecodable", 1, 1),
    ]


@pytest.mark.parametrize(
    ("path", "body", "status", "field"),
    [
        ("/replay", {"limit": 501}, 422, "limit"),
        ("/replay", {"class": "none"}, 422, "class"),
        ("/replay", {"after": "somewhere"}, 422, "after"),
        ("/drop", {"since": "then"}, 422, "since"),
        (f"/{INBOX}/0/edit", {}, 422, "set"),
        (f"/{INBOX}/0/edit", {"value": {}, "set": {}}, 422, "set"),
        (f"/{INBOX}/0/edit", {"set": {"data.none.x": 1}}, 422, "set.data.none.x"),
        (f"/{INBOX}/0/edit", {"value_base64": "?"}, 422, "value_base64"),
        (f"/{INBOX}/7/replay", {}, 404, None),
        (f"/{INBOX}/x/drop", {}, 404, None),
        ("/no.topic/0/drop", {}, 404, None),
    ],
)
async def test_what_cannot_be_done_says_why(
    gateway: Gateway, path: str, body: dict[str, Any], status: int, field: str | None
) -> None:
    bury(gateway, b'{"data": {}}')
    problem = await said(gateway, "POST", path, body, status)
    assert [each["field"] for each in problem.get("errors", [])] == ([field] if field else [])
    assert gateway.instance.dead.read("vacancy.dead-letters") == []


async def test_only_who_has_the_key_sees_them(gateway: Gateway) -> None:
    assert (await gateway.call("GET", PATH, key=None)).status == 401
