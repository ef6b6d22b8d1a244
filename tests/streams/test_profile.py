"""Producers and consumers as a document sets them: opt-in, warned of, and ours otherwise (C9, C10)."""

from __future__ import annotations

import logging

import pytest

from config.settings import Settings
from streams import profile
from streams.layout import load_layout
from streams.publisher import Others

CAMPSITE = load_layout("campsite")


def test_without_being_asked_nothing_promises_less() -> None:
    for layout in ("campsite", "catalogue"):
        assert profile.others(Settings(layout=layout), load_layout(layout)) is None
    settings = Settings(layout="campsite")
    assert not profile.weakens(settings, CAMPSITE)
    assert profile.max_poll_records(settings, CAMPSITE) == 400
    assert profile.session_timeout(settings, CAMPSITE) == settings.session_timeout


@pytest.mark.proves("CAMP-21", "CAMP-22", "C9", "C10")
def test_the_documents_profile_is_its_own_to_the_letter(caplog: pytest.LogCaptureFixture) -> None:
    """Auto commit stays off: offsets are committed once a decision is durable, which is safer than the document."""
    settings = Settings(layout="campsite", profile="document")
    with caplog.at_level(logging.WARNING):
        made = profile.others(settings, CAMPSITE)
    assert made == Others(frozenset(CAMPSITE.topics), acks=1, compression="gzip", batch_bytes=16384, linger_ms=10)
    assert "an acknowledged event may be lost" in caplog.text
    assert profile.weakens(settings, CAMPSITE)
    assert profile.max_poll_records(settings, CAMPSITE) == 500
    assert profile.session_timeout(settings, CAMPSITE) == 30.0


def test_inboxes_and_rows_are_never_written_by_it() -> None:
    made = profile.others(Settings(layout="campsite", profile="document"), CAMPSITE)
    assert made is not None
    assert not any(name.startswith("vacancy.") for name in made.topics)


@pytest.mark.proves("CLN-11")
def test_settings_choose_one_by_one() -> None:
    settings = Settings(producer_compression="lz4", producer_linger_ms=5)
    made = profile.others(settings, load_layout("catalogue"))
    assert made is not None
    assert (made.acks, made.compression, made.linger_ms) == ("all", "lz4", 5)
    assert not profile.weakens(settings, load_layout("catalogue"))
