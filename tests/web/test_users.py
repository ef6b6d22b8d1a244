"""Users over HTTP: registered once, changed one revision after the other, sealed all the way."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import msgspec
import pytest

from streams.events import Event
from streams.events.users import ChangeUser, RegisterUser, UserCreated, UserUpdated
from streams.identity import user_id_of
from tests.web.conftest import Gateway
from tests.web.instance import NOW

ADA = {"email": "ada@example.com", "first_name": "Ada", "last_name": "Guest", "phone": "+31 20 555 0100"}


async def registered(gateway: Gateway, **more: object) -> dict[str, Any]:
    answer = await gateway.call("POST", "/api/users", {**ADA, **more})
    assert answer.status == 201, await answer.text()
    found: dict[str, Any] = await answer.json()
    return found


@pytest.mark.proves("CAT-14", "CAMP-03")
async def test_a_user_is_registered_told_and_readable(gateway: Gateway) -> None:
    answer = await gateway.call("POST", "/api/users", ADA)
    body = await answer.json()
    assert answer.status == 201
    assert {name: body[name] for name in ADA} == ADA
    assert (body["user_id"], body["revision"]) == (user_id_of("ada@example.com"), 1)
    assert answer.headers["Location"] == body["links"]["self"] == f"/api/users/{body['user_id']}"
    assert await (await gateway.call("GET", body["links"]["self"])).json() == body
    told = [each.data for each in gateway.instance.published]
    assert [type(each) for each in told] == [UserCreated]
    assert "ada@example.com" not in repr((*gateway.instance.appended, *told))


async def test_a_user_may_have_an_id_of_its_own(gateway: Gateway) -> None:
    body = await registered(gateway, user_id="guest/7 é")
    assert body["links"]["self"] == "/api/users/guest%2F7%20%C3%A9"
    assert (await (await gateway.call("GET", body["links"]["self"])).json())["user_id"] == "guest/7 é"


async def test_a_retry_is_answered_the_same_and_another_request_is_not(gateway: Gateway) -> None:
    first = await gateway.call("POST", "/api/users", ADA, Idempotency_Key="k1")
    again = await gateway.call("POST", "/api/users", ADA, Idempotency_Key="k1")
    assert (again.status, await again.json()) == (201, await first.json())
    other = await gateway.call("POST", "/api/users", {**ADA, "first_name": "Eve"}, Idempotency_Key="k1")
    assert (other.status, (await other.json())["type"]) == (422, "urn:vacancy:problem:idempotency-key-reused")
    taken = await gateway.call("POST", "/api/users", {**ADA, "first_name": "Eve"})
    assert (taken.status, (await taken.json())["type"]) == (409, "urn:vacancy:problem:user-exists")
    assert len(gateway.instance.published) == 1


async def test_what_another_program_registered_exists(gateway: Gateway) -> None:
    told = RegisterUser(user_id="u7", personal=await gateway.seals.seal("u7", '{"email": 5}'), announced=True)
    await gateway.instance.append(told, source="foreign")
    body = await (await gateway.call("GET", "/api/users/u7")).json()
    assert (body["email"], body["revision"]) == (None, 1)
    assert (await gateway.call("POST", "/api/users", {**ADA, "user_id": "u7"})).status == 409


@pytest.mark.proves("CAT-15", "CAMP-03")
async def test_a_change_merges_and_makes_a_revision(gateway: Gateway) -> None:
    itself = (await registered(gateway))["links"]["self"]
    body = await (await gateway.call("PATCH", itself, {"last_name": "Lovelace", "phone": None})).json()
    assert (body["first_name"], body["last_name"], body["phone"], body["revision"]) == ("Ada", "Lovelace", None, 2)
    assert isinstance(gateway.instance.published[-1].data, UserUpdated)


async def test_a_user_is_readable_as_it_was(gateway: Gateway) -> None:
    itself = (await registered(gateway))["links"]["self"]
    gateway.instance.now = NOW + timedelta(hours=2)
    await gateway.call("PATCH", itself, {"first_name": "Augusta"})
    then = await (await gateway.call("GET", f"{itself}?at=2026-11-21T13:00:00Z")).json()
    assert (then["first_name"], then["revision"]) == ("Ada", 1)
    assert (await gateway.call("GET", f"{itself}?at=2026-11-21T11:00:00Z")).status == 404
    assert (await gateway.call("GET", f"{itself}?at=yesterday")).status == 422


async def test_of_two_changes_at_once_one_is_told_to_retry(gateway: Gateway, monkeypatch: pytest.MonkeyPatch) -> None:
    itself, append = (await registered(gateway))["links"]["self"], gateway.instance.append

    async def overtaken(event: Event, **more: Any) -> Any:
        monkeypatch.setattr(gateway.instance, "append", append)
        assert isinstance(event, ChangeUser)
        await append(msgspec.structs.replace(event, personal="sealed:x:7b7d"), source="another gateway")
        return await append(event, **more)

    monkeypatch.setattr(gateway.instance, "append", overtaken)
    answer = await gateway.call("PATCH", itself, {"first_name": "Augusta"})
    assert (answer.status, (await answer.json())["type"]) == (409, "urn:vacancy:problem:changed-meanwhile")


async def test_an_erased_user_is_shown_without_a_name_and_not_changed(gateway: Gateway) -> None:
    made = await registered(gateway)
    gateway.seals.erased.add(made["user_id"])
    body = await (await gateway.call("GET", made["links"]["self"])).json()
    assert (body["email"], body["first_name"]) == (None, None)
    assert (await gateway.call("PATCH", made["links"]["self"], {"first_name": "Eve"})).status == 409


@pytest.mark.parametrize(
    ("method", "body", "field"),
    [
        ("POST", {**ADA, "email": "nobody"}, "email"),
        ("POST", {"email": "a@example.com", "last_name": "L"}, "first_name"),
        ("POST", {**ADA, "age": 7}, "age"),
        ("POST", {**ADA, "user_id": "\n"}, "user_id"),
        ("PATCH", {}, "body"),
        ("PATCH", {"email": None}, "email"),
        ("PATCH", {"phone": "call me"}, "phone"),
        ("PATCH", {"locale": "xx-YY"}, "locale"),
        ("PATCH", {"user_id": "u8"}, "user_id"),
    ],
)
async def test_bad_input_is_named(gateway: Gateway, method: str, body: object, field: str) -> None:
    itself = (await registered(gateway))["links"]["self"]
    answer = await gateway.call(method, "/api/users" if method == "POST" else itself, body)
    assert (answer.status, (await answer.json())["errors"][0]["field"]) == (422, field)


async def test_an_unknown_user_is_404_and_an_undecided_one_503(gateway: Gateway) -> None:
    assert (await gateway.call("GET", "/api/users/nobody")).status == 404
    assert (await gateway.call("PATCH", "/api/users/nobody", {"first_name": "Eve"})).status == 404
    gateway.instance.paused.add("user")
    assert (await gateway.call("POST", "/api/users", ADA)).status == 503
