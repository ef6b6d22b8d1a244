"""Links in letters: each opens what it was made for, and nothing else."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from adapters.links import Links

LINKS = Links("https://rooms.example", b"s" * 32)


def _token(link: str) -> str:
    return link.rpartition("/")[2]


def test_a_link_is_read_back_by_who_made_it() -> None:
    assert LINKS.unsubscribe("u/1").startswith("https://rooms.example/unsubscribe/")
    assert LINKS.user_of(_token(LINKS.unsubscribe("u/1"))) == "u/1"
    assert LINKS.receipt("r-1").startswith("https://rooms.example/receipts/")
    assert LINKS.receipt_of(_token(LINKS.receipt("r-1"))) == "r-1"


def test_a_users_mails_carry_one_mark_under_whatever_address() -> None:
    assert LINKS.mark("u/1") == LINKS.mark("u/1") == _token(LINKS.unsubscribe("u/1")) != LINKS.mark("u/2")


def test_a_receipts_link_can_be_that_of_a_time() -> None:
    """The same whenever it is asked for, and it holds from then on."""
    now = datetime.now(UTC)
    first, again = LINKS.receipt("r-1", now - timedelta(days=399)), LINKS.receipt("r-1", now - timedelta(days=399))
    assert first == again
    assert LINKS.receipt_of(_token(first)) == "r-1"
    assert LINKS.receipt_of(_token(LINKS.receipt("r-1", now - timedelta(days=401)))) is None


def test_a_link_of_one_kind_is_none_of_another() -> None:
    assert LINKS.receipt_of(_token(LINKS.unsubscribe("u-1"))) is None
    assert LINKS.user_of(_token(LINKS.receipt("r-1"))) is None


def test_a_link_that_was_changed_or_signed_elsewhere_opens_nothing() -> None:
    token = _token(LINKS.unsubscribe("u-1"))
    assert LINKS.user_of(token[:-1] + ("A" if token[-1] != "A" else "B")) is None
    assert Links("https://rooms.example", b"t" * 32).user_of(token) is None
    assert LINKS.user_of("é") is None
    assert LINKS.user_of("") is None
