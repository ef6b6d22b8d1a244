"""A user is registered once, and each change makes exactly the next revision (CAT-14, CAT-15, CAMP-03)."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.users import NEXT, User, decide, is_over
from streams.events.booking import CheckIn
from streams.events.users import (
    ChangeUser,
    EraseUser,
    ForgetUser,
    RegisterUser,
    UserCreated,
    UserErased,
    UserForgotten,
    UserUpdated,
)
from tests.domain.messages import NOW
from tests.domain.services import RowOf, Story


def given_user() -> Story[RowOf[User]]:
    return Story(RowOf(User, decide)).when(register())


def register(personal: str = "sealed ada", announced: bool = False) -> RegisterUser:
    return RegisterUser(user_id="u1", personal=personal, fingerprint="f1", announced=announced)


def change(revision: int, personal: str = "sealed ada l.", announced: bool = False) -> ChangeUser:
    return ChangeUser(user_id="u1", personal=personal, revision=revision, announced=announced)


@pytest.mark.proves("CAT-14", "CAMP-03")
def test_a_registration_is_told_once() -> None:
    created = UserCreated(user_id="u1", personal="sealed ada", created_at=NOW)
    story = given_user().then(created)
    story.when(register()).then_nothing()
    story.when(register("sealed eve")).then_nothing()
    assert story.service.state == User(
        user_id="u1", personal="sealed ada", fingerprint="f1", created_at=NOW, updated_at=NOW
    )


def test_what_another_program_told_is_not_told_again() -> None:
    story = Story(RowOf(User, decide)).when(register(announced=True)).then_nothing()
    story.when(change(NEXT, announced=True)).then_nothing()
    assert (story.service.state.revision, story.service.state.personal) == (2, "sealed ada l.")


@pytest.mark.proves("CAT-15", "CAMP-03")
def test_a_change_makes_the_next_revision_and_is_told() -> None:
    story = given_user().when(change(2)).then(UserUpdated(user_id="u1", personal="sealed ada l.", updated_at=NOW))
    assert story.service.state.revision == 2
    story.when(change(2)).then_nothing()
    story.when(change(NEXT)).then_nothing()
    assert story.service.state.revision == 2


def test_nobody_unknown_is_changed_and_other_messages_change_nothing() -> None:
    story = Story(RowOf(User, decide)).when(change(NEXT), change(2)).then_nothing()
    assert story.service.found is None
    given_user().when(CheckIn(booking_id="u1")).then_nothing()


@given(st.lists(st.integers(0, 6), max_size=12))
def test_changes_are_taken_as_a_counter_takes_them(revisions: list[int]) -> None:
    service = RowOf(User, decide)
    service.take(register(), NOW)
    expected = 1
    for number, revision in enumerate(revisions):
        service.take(change(revision, personal=f"sealed {number}"), NOW)
        expected += revision in (NEXT, expected + 1)
        assert service.state.revision == expected


def forgotten() -> UserForgotten:
    return UserForgotten(user_id="u1", asked_at=NOW, keys=2)


def test_an_erasure_is_over_once_the_keys_are_gone() -> None:
    story = given_user().when(EraseUser(user_id="u1"))
    story.then(ForgetUser(user_id="u1", asked_at=NOW, personal="sealed ada", revision=1))
    assert (story.service.state.erasing, story.service.state.erased_at) == (NOW, None)
    story.when(EraseUser(user_id="u1"), change(NEXT), register()).then_nothing()
    story.when(forgotten()).then(UserErased(user_id="u1", erased_at=NOW))
    assert story.service.state == User(
        user_id="u1", personal="", revision=2, created_at=NOW, updated_at=NOW, erased_at=NOW
    )
    story.when(forgotten(), change(NEXT)).then_nothing()


def test_who_was_never_registered_is_erased_too_and_may_be_erased_again() -> None:
    story = Story(RowOf(User, decide)).when(EraseUser(user_id="u1"))
    story.then(ForgetUser(user_id="u1", asked_at=NOW, personal="", revision=1))
    story.when(forgotten()).then(UserErased(user_id="u1", erased_at=NOW))
    again = ForgetUser(user_id="u1", asked_at=NOW, personal="", revision=2)
    story.when(EraseUser(user_id="u1")).then(again)
    story.when(register()).then_nothing()


def test_an_answer_to_another_erasure_changes_nothing() -> None:
    given_user().when(forgotten()).then_nothing()


@pytest.mark.proves("CAT-14")
def test_who_comes_back_after_an_erasure_is_somebody_new() -> None:
    story = given_user().when(EraseUser(user_id="u1"), forgotten())
    story.when(register("sealed anew"))
    assert story.service.state.personal == "sealed anew"
    assert (story.service.state.revision, story.service.state.erased_at) == (3, None)


@pytest.mark.parametrize(
    ("told_at", "back"),
    [(NOW - timedelta(days=1), False), (NOW, False), (NOW + timedelta(seconds=1), True), (None, True)],
)
def test_what_another_program_told_before_the_erasure_brings_nobody_back(told_at: datetime | None, back: bool) -> None:
    story = given_user().when(EraseUser(user_id="u1"), forgotten())
    story.when(RegisterUser(user_id="u1", personal="sealed ada", announced=True, told_at=told_at))
    assert bool(story.service.state.personal) is back


def test_an_erasure_is_over_once_it_made_a_revision() -> None:
    asked = ForgetUser(user_id="u1", asked_at=NOW, personal="", revision=2)
    rows = [User(user_id="u1", personal="", revision=number, created_at=NOW, updated_at=NOW) for number in (1, 2, 3, 4)]
    assert [is_over(row, asked) for row in (None, *rows)] == [False, False, False, True, True]
    assert not is_over(rows[-1], ForgetUser(user_id="u1", asked_at=NOW, personal=""))
