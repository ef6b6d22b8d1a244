"""The instance's secrets: made once, kept for the owner's eyes, derived from one."""

from __future__ import annotations

import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from pydantic import SecretStr

from config.secrets import Secrets
from config.settings import Settings, SettingsError


def test_they_are_made_once(tmp_path: Path) -> None:
    first = Secrets.load_or_create(tmp_path / "new")
    assert Secrets.load_or_create(tmp_path / "new") == first
    assert len(first.secret) == 32
    assert first != Secrets.load_or_create(tmp_path / "other")


def test_only_the_owner_may_read_them(tmp_path: Path) -> None:
    Secrets.load_or_create(tmp_path)
    assert stat.S_IMODE((tmp_path / "secret.json").stat().st_mode) == 0o600
    assert [path.name for path in tmp_path.iterdir()] == ["secret.json"]


def test_all_who_come_first_get_the_same(tmp_path: Path) -> None:
    with ThreadPoolExecutor(16) as pool:
        found = list(pool.map(Secrets.load_or_create, [tmp_path] * 64))
    assert len(set(found)) == 1


def test_given_ones_win(tmp_path: Path) -> None:
    own = Secrets.load_or_create(tmp_path)
    given = Secrets.of(Settings(data=tmp_path, secret=SecretStr("s" * 40), api_key=SecretStr("k" * 20)))
    assert given.api_key == "k" * 20
    assert given.instance_id == own.instance_id
    assert given.secret != own.secret
    assert given.internal_token != own.internal_token


def test_what_is_derived_depends_on_the_purpose(tmp_path: Path) -> None:
    own = Secrets.load_or_create(tmp_path)
    assert len({own.derive("one"), own.derive("two"), own.secret}) == 3
    assert own.internal_token == Secrets.load_or_create(tmp_path).internal_token


def test_they_are_not_printed(tmp_path: Path) -> None:
    own = Secrets.load_or_create(tmp_path)
    assert own.api_key not in repr(own)


@pytest.mark.parametrize("text", ["", "{}", '{"instance_id": "a", "secret": "c2hvcnQ=", "api_key": "k"}', "[]"])
def test_a_damaged_file_is_not_replaced(tmp_path: Path, text: str) -> None:
    (tmp_path / "secret.json").write_text(text, "utf-8")
    with pytest.raises(SettingsError, match=r"secret\.json"):
        Secrets.load_or_create(tmp_path)
    assert (tmp_path / "secret.json").read_text("utf-8") == text
