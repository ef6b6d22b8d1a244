"""Settings: which layer wins, what a wrong value is told, and what a child process loads."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from pydantic import SecretStr, ValidationError

from config.layers import load, masked
from config.settings import PREFIX, Settings, SettingsError, layouts


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.upper().startswith(PREFIX)]:
        monkeypatch.delenv(name)


def _file(directory: Path, text: str) -> Path:
    path = directory / "vacancy.toml"
    path.write_text(text, "utf-8")
    return path


def test_each_layer_wins_over_the_one_below_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _file(tmp_path, "port = 1001\nworkers = 2\nmax_nights = 30\n")
    monkeypatch.setenv("VACANCY_PORT", "1002")
    monkeypatch.setenv("VACANCY_WORKERS", "3")

    effective = load({"data": tmp_path, "port": 1003})

    settings = effective.settings
    assert (settings.port, settings.workers, settings.max_nights, settings.body_limit) == (1003, 3, 30, 65536)
    origins = {name: effective.origins[name] for name in ("port", "workers", "max_nights", "body_limit")}
    assert origins == {
        "port": "command line",
        "workers": "environment",
        "max_nights": "file",
        "body_limit": "default",
    }


def test_a_named_file_is_read_instead_of_the_directorys(tmp_path: Path) -> None:
    _file(tmp_path, "port = 1001")
    named = tmp_path / "other.toml"
    named.write_text('port = 1004\ndata = "elsewhere"', "utf-8")

    effective = load({}, named)

    assert (effective.settings.port, effective.settings.data) == (1004, Path("elsewhere"))
    assert effective.origins["data"] == "file"


def test_an_option_that_was_not_given_does_not_count(tmp_path: Path) -> None:
    effective = load({"data": tmp_path, "port": None})
    assert (effective.settings.port, effective.origins["port"]) == (8080, "default")


def test_an_empty_variable_does_not_count(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VACANCY_BROKER", "")
    effective = load({"data": tmp_path})
    assert (effective.settings.broker, effective.origins["broker"]) == (None, "default")


@pytest.mark.parametrize(
    ("field", "value", "says"),
    [
        ("port", "70000", "less than or equal to 65535"),
        ("workers", "0", "greater than or equal to 1"),
        ("workers", "many", "valid integer"),
        ("broker", "localhost", "kafka://HOST:PORT"),
        ("broker", "kafka://host", "kafka://HOST:PORT"),
        ("layout", "motel", "the layouts are: "),
        ("session_timeout", "-1", "greater than 0"),
        ("session_timeout", "inf", "finite"),
        ("provider_url", "ftp://x", "pattern"),
        ("log_level", "loud", "'debug'"),
        ("secret", "short", "at least 32"),
        ("namespace", "Not Mine", "match pattern"),
        ("min_free_mb", "-1", "greater than or equal to 0"),
        ("nonsense", "1", "no such setting"),
    ],
)
def test_a_wrong_value_is_one_line_that_names_the_field(tmp_path: Path, field: str, value: str, says: str) -> None:
    with pytest.raises(SettingsError) as caught:
        load({"data": tmp_path, field: value})
    line = str(caught.value)
    assert line.startswith(f"{field}: ")
    assert says in line
    assert "\n" not in line


def test_a_wrong_value_in_the_environment_names_the_field(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VACANCY_WORKERS", "many")
    with pytest.raises(SettingsError, match=r"^workers: "):
        load({"data": tmp_path})


def test_a_wrong_secret_is_not_repeated(tmp_path: Path) -> None:
    with pytest.raises(SettingsError) as caught:
        load({"data": tmp_path, "secret": "hunter2"})
    assert "hunter2" not in str(caught.value)


def test_a_file_that_is_not_toml_is_named(tmp_path: Path) -> None:
    path = _file(tmp_path, "port = ")
    with pytest.raises(SettingsError, match=str(path)):
        load({"data": tmp_path})


def test_a_named_file_has_to_be_there(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"none\.toml"):
        load({}, tmp_path / "none.toml")


def test_the_directorys_file_cannot_name_another_directory(tmp_path: Path) -> None:
    _file(tmp_path, 'data = "elsewhere"')
    with pytest.raises(SettingsError, match=r"^data: "):
        load({"data": tmp_path})


def test_settings_do_not_change() -> None:
    settings = Settings()
    with pytest.raises(ValidationError, match="frozen"):
        settings.port = 1  # type: ignore[misc]


def test_a_child_loads_the_same_values(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _file(tmp_path, "max_quantity = 7\nport = 1001")
    settings = load(
        {"data": tmp_path, "broker": "kafka://a:1,b:2", "secret": "s" * 32, "port": 1003, "log_level": "INFO"}
    ).settings
    for name, value in settings.environment_of().items():
        monkeypatch.setenv(name, value)

    assert load({}).settings == settings
    assert settings.bootstrap == "a:1,b:2"


def test_without_a_broker_there_is_no_bootstrap() -> None:
    with pytest.raises(SettingsError, match="vacancy up"):
        _ = Settings().bootstrap


def test_secrets_are_masked() -> None:
    shown = masked(Settings(secret=SecretStr("s" * 32), api_key=SecretStr("k" * 16)))
    assert (shown["secret"], shown["api_key"]) == ("********", "********")
    assert "kkkk" not in repr(shown) + repr(Settings(api_key=SecretStr("k" * 16)))


def test_the_catalogue_is_a_layout() -> None:
    assert "catalogue" in layouts()
