"""A person is found however the words are written, and nobody else is taken for them."""

from __future__ import annotations

import base64
import json
from email.message import EmailMessage
from pathlib import Path
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cli.erasure_person import Person
from cli.erasure_places import Place, search_files
from cli.erasure_search import Search

ZOE = Person(
    "u-7",
    emails={"zo\u00eb.q@example.com"},
    phones={"+31 20 555 0199"},
    names={("Zo\u00eb", "Quax"), ("Li", "An")},
    texts={"a pain in the left knee"},
)
SEARCH = Search(ZOE)
EMAIL = "zo\u00eb.q@example.com"


@pytest.mark.parametrize(
    "said",
    [
        EMAIL.encode(),
        EMAIL.upper().encode(),
        json.dumps({"to": f"\n{EMAIL}"}).encode(),
        f"mailto:{quote(EMAIL)}".encode(),
        b'{"phone": "+31 20 555 0199"}',
        b"has A PAIN in the left knee.",
        json.dumps({"first_name": "Zo\u00eb", "last_name": "Quax"}).encode(),
        "Quax, Zo\u00eb".encode(),
        b'{"first_name":"Li","last_name":"An"}',
        b'{"name": "Zo\\u00eb Quax", "to": "eve@example.com", "user_id": "u-7"}',
    ],
)
def test_what_is_the_persons_is_found(said: bytes) -> None:
    assert SEARCH.finds(b"before " + said + b" after")


@pytest.mark.parametrize(
    "said",
    [
        b"",
        f"x{EMAIL}".encode(),
        f"{EMAIL}x".encode(),
        "Zo\u00eb".encode(),
        b"Quax",
        b"the list goes on and on, and then there is an end to Li",
        b'{"name": "Zo\\u00eb Quax", "email": "another@example.com", "user_id": "u-8"}',
    ],
)
def test_what_is_somebody_elses_is_not(said: bytes) -> None:
    assert not SEARCH.finds(said)


@given(st.binary(max_size=9), st.binary(max_size=9))
def test_it_is_found_in_base64_wherever_it_stands(before: bytes, after: bytes) -> None:
    assert SEARCH.finds(base64.b64encode(before + EMAIL.encode() + after))


def test_a_mail_is_read_as_its_receiver_would(tmp_path: Path) -> None:
    mail = EmailMessage()
    mail["To"], mail["Subject"] = "other@example.com", "Hello"
    mail.set_content("You have " + "a pain in the left knee, \u00e9 " * 9, cte="base64")
    (tmp_path / "mail").mkdir()
    (tmp_path / "mail" / "1.eml").write_bytes(bytes(mail))
    (tmp_path / "mail" / "2.eml").write_bytes(b"To: other@example.com\n\nNothing")
    (tmp_path / "broker").mkdir()
    (tmp_path / "broker" / "segment").write_text("a pain in the left knee")
    (tmp_path / "note.txt").write_text(" " * (8 * 1024 * 1024 - 9) + "a pain in the left knee")
    places = {place.name: place for place in search_files(tmp_path, SEARCH)}
    assert {name: place.files for name, place in places.items()} == {"mail/": ["mail/1.eml"], "note.txt": ["note.txt"]}
    assert not any(place.is_allowed for place in places.values())


def test_what_retention_never_removes_is_not_allowed() -> None:
    assert Place("vacancy.user.inbox", "internal").is_allowed
    assert not Place("user-events.dlq", "dead letters", found=1).is_allowed


@pytest.mark.parametrize("to", ["<", '"', "a@[", ":;u:"])
def test_a_malformed_receiver_hides_nothing_of_a_mail(to: str) -> None:
    quoted = base64.b64encode(b"a pain in the left knee, they say")
    headers = f"To: {to}\nContent-Type: text/plain; charset=x-nobodys\nContent-Transfer-Encoding: base64\n\n".encode()
    assert not SEARCH.finds_in_mail(headers + base64.b64encode(b"Hello"))
    assert SEARCH.finds_in_mail(headers.replace(b"x-nobodys", b"utf-8") + quoted)
    assert SEARCH.finds_in_mail(headers + quoted)
