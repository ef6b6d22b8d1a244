"""Erasing over HTTP: answered once the keys are gone, and nothing of the user is in what fails or is logged."""

from __future__ import annotations

import logging

import pytest

from streams.events.users import UserErased
from streams.identity import user_id_of
from tests.web.conftest import Gateway
from tests.web.test_users import ADA, registered


async def test_an_erased_user_is_told_of_and_shown_without_a_name(gateway: Gateway) -> None:
    itself = (await registered(gateway))["links"]["self"]
    answer = await gateway.call("POST", f"{itself}/erasure")
    body = await answer.json()
    assert (answer.status, body["status"]) == (200, "erased")
    assert {each["topic"] for each in body["documented_topics"]} >= {"user.user.created", "user.user.updated"}
    assert all(each["gone_by"] is not None for each in body["documented_topics"])
    shown = await (await gateway.call("GET", itself)).json()
    assert (shown["email"], shown["erased_at"]) == (None, body["erased_at"])
    assert isinstance(gateway.instance.published[-1].data, UserErased)
    assert (await gateway.call("PATCH", itself, {"first_name": "Eve"})).status == 409


async def test_who_only_booked_is_erased_by_the_id_of_the_address(gateway: Gateway) -> None:
    itself = f"/api/users/{user_id_of('ada@example.com')}"
    assert (await gateway.call("POST", f"{itself}/erasure")).status == 200
    again = await registered(gateway)
    assert (again["first_name"], again["erased_at"]) == ("Ada", None)


async def test_keys_that_take_longer_are_answered_202(gateway: Gateway) -> None:
    itself = (await registered(gateway))["links"]["self"]
    gateway.instance.silent = True
    for _ in range(2):  # asked again it is the same erasure
        answer = await gateway.call("POST", f"{itself}/erasure")
        assert (answer.status, (await answer.json())["erased_at"]) == (202, None)


async def test_a_failing_request_leaves_no_name_in_the_log(
    gateway: Gateway, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken(user_id: str, text: str) -> str:
        raise RuntimeError("no key can be made")

    caplog.set_level(logging.DEBUG)
    monkeypatch.setattr(gateway.seals, "seal", broken)
    answer = await gateway.call("POST", "/api/users", ADA)
    assert answer.status == 500
    said = caplog.text + await answer.text()
    assert "failed unexpectedly" in said
    assert not [value for value in ADA.values() if len(value) > 3 and value in said]
