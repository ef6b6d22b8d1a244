"""`vacancy bridge`: what it refuses, and news carried between two namespaces of a real Kafka, once and no further."""

from __future__ import annotations

import asyncio
import json
import signal
import subprocess
import uuid
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson
import pytest
from aiokafka import TopicPartition
from aiokafka.admin import NewTopic

from cli.parts import command
from config.secrets import Secrets
from config.settings import Settings
from streams.admin import admin
from streams.compacted import Compacted
from streams.envelope import originate
from streams.events import Envelope, Event
from streams.events.availability import NightUpdated
from streams.events.control import UserKeyAdded
from streams.events.users import UserCreated
from streams.keyring import Keyring
from streams.layout import Layout, load_layout
from streams.log import Log
from streams.publisher import KafkaPublisher, Record
from streams.reader import Raw, consumer, read_to_end
from streams.signing import SIGNATURE_HEADER, Signer
from streams.topics import Topic, dead_letters
from streams.voice import Voice
from streams.wire import codec_of
from streams.wire.reading import read
from tests.cli.command import Ran, vacancy

NOW = datetime(2026, 7, 1, 12, tzinfo=UTC)
GUEST = {"email": "ada@example.com", "first_name": "Ada", "last_name": "L"}


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        (["--from", "catalogue", "--to", "motel"], "there is no layout 'motel'"),
        (["--from", "catalogue", "--to", "hotel", "--namespace", "No Name"], "namespace: "),
    ],
)
def test_what_cannot_be_bridged_is_said(wrong: list[str], words: str) -> None:
    ran = vacancy("bridge", *wrong, "--broker", "kafka://127.0.0.1:1")
    assert (ran.code, ran.out, len(ran.err.splitlines())) == (2, "", 1)
    assert words in ran.err


def test_a_directory_has_to_be_an_instances(tmp_path: Path) -> None:
    asked = ("bridge", "--from", "catalogue", "--to", "hotel", "--data", tmp_path, "--broker", "kafka://127.0.0.1:1")
    ran = vacancy(*asked)
    assert (ran.code, ran.out) == (2, "")
    assert "has no secret.json" in ran.err
    assert list(tmp_path.iterdir()) == []
    Secrets.load_or_create(tmp_path)
    (tmp_path / "instance.json").write_text('{"layout": "hotel", "namespace": ""}', "utf-8")
    ran = vacancy(*asked)
    assert (ran.code, "belongs to layout hotel, not catalogue" in ran.err) == (2, True)


def test_without_a_broker_it_says_so() -> None:
    ran = vacancy("bridge", "--from", "catalogue", "--to", "hotel", "--broker", "kafka://127.0.0.1:1")
    assert (ran.code, ran.out) == (1, "")
    assert "no broker answers at 127.0.0.1:1" in ran.err


class Home:
    """A layout in a namespace of its own on the shared broker, with the topics a bridge needs."""

    def __init__(self, bootstrap: str, name: str, directory: Path) -> None:
        self.bootstrap = bootstrap
        self.settings = Settings(layout=name, namespace=f"b{uuid.uuid4().hex[:8]}", data=directory)
        self.layout: Layout = load_layout(self.settings)
        self.namespace = self.layout.namespace

    async def prepare(self) -> None:
        public = self.layout.public
        wanted: Sequence[Topic] = (*public, *map(dead_letters, public), self.layout.user_keys)
        async with admin(self.bootstrap) as client:
            await client.create_topics(
                [NewTopic(each.name, each.partitions, 1, topic_configs=each.config()) for each in wanted]
            )

    async def says(self, *events: Event) -> list[Envelope]:
        publisher = KafkaPublisher(self.bootstrap)
        await publisher.start()
        voice = Voice(publisher, self.layout, Signer(b"key"))
        news = [originate(event, source="booking-service", now=NOW) for event in events]
        try:
            for envelope in news:
                await voice.say(envelope)
        finally:
            await publisher.stop()
        return news

    async def poison(self, topic: str) -> None:
        publisher = KafkaPublisher(self.bootstrap)
        await publisher.start()
        try:
            await publisher.send(topic, 0, Record(b"k", b"not JSON"))
        finally:
            await publisher.stop()

    async def seal(self, user_id: str, text: str) -> str:
        """The text under a key of the user, which is on the log then."""
        log = Log(self.bootstrap, self.layout)
        keys = Compacted(self.bootstrap, self.layout.user_keys, UserKeyAdded)
        keyring = Keyring(Secrets.load_or_create(self.settings.data).secret, keys, log)
        await log.start()
        await keyring.start()
        try:
            return await keyring.seal(user_id, text)
        finally:
            await keyring.stop()
            await log.stop()

    async def heard(self, topics: Sequence[Topic]) -> list[Raw]:
        reader = consumer(self.bootstrap)
        await reader.start()
        try:
            parts = [TopicPartition(each.name, number) for each in topics for number in range(each.partitions)]
            reader.assign(parts)
            await reader.seek_to_beginning(*parts)
            return [record async for _, records in read_to_end(reader, parts) for record in records]
        finally:
            await reader.stop()


def between(home: Home, away: Home, *more: Any) -> list[Any]:
    names = ["--from", home.layout.name, "--to", away.layout.name, "--broker", f"kafka://{home.bootstrap}"]
    return ["bridge", *names, "--namespace", home.namespace, "--to-namespace", away.namespace, *more]


def once(home: Home, away: Home, *more: Any) -> dict[str, int]:
    ran: Ran = vacancy(*between(home, away, "--once", "--json", *more))
    assert ran.code == 0, ran.err
    found: dict[str, int] = json.loads(ran.out)
    return found


def _night(free: int) -> NightUpdated:
    return NightUpdated(
        provider_id="inn", product_id="suite", slot="2026-12-24", capacity=9, held=9 - free, free=free, updated_at=NOW
    )


@pytest.mark.broker
@pytest.mark.timeout(240)
async def test_news_is_carried_once_shown_as_the_target_shows_it_and_never_back(kafka: str, tmp_path: Path) -> None:
    home, away = Home(kafka, "catalogue", tmp_path / "home"), Home(kafka, "campsite", tmp_path / "away")
    await home.prepare()
    missing = vacancy(*between(home, away, "--once"))
    assert (missing.code, missing.out) == (1, "")
    assert f"`VACANCY_NAMESPACE={away.namespace} vacancy topics apply --layout campsite" in missing.err
    itself = vacancy(*between(home, home, "--once"))
    assert (itself.code, "nowhere to carry to" in itself.err) == (2, True)

    await away.prepare()
    sealed = await home.seal("ada", json.dumps(GUEST))
    said = await home.says(UserCreated(user_id="ada", personal=sealed, created_at=NOW), *map(_night, range(5)))
    await home.poison(f"{home.namespace}.booking.booking.created")

    assert once(home, away, "--data", tmp_path / "home") == {"carried": 6, "home": 0, "dead": 1}
    there = await away.heard(away.layout.public)
    codec = codec_of(away.layout.codec)
    met = {envelope.event_id: envelope for envelope in (read(codec, away.layout, record) for record in there)}
    assert met.keys() == {news.event_id for news in said}
    for news in said[1:]:
        assert met[news.event_id] == news
    [user] = [record for record in there if record.topic == f"{away.namespace}.user-events"]
    assert orjson.loads(user.value or b"")["Email"] == GUEST["email"]
    assert all(SIGNATURE_HEADER not in dict(record.headers) for record in there)
    assert all(sealed.encode() not in value for record in there for _, value in record.headers)
    letters = await home.heard([dead_letters(topic) for topic in home.layout.public])
    assert [(letter.value, dict(letter.headers)["vacancy-dlq-class"]) for letter in letters] == [
        (b"not JSON", b"undecodable")
    ]

    # A second run goes on where the first one ended; the way back finds everything at home.
    await home.says(_night(7))
    assert once(home, away) == {"carried": 1, "home": 0, "dead": 0}
    assert once(away, home) == {"carried": 0, "home": 7, "dead": 0}
    await _follows_until_told(home, away)


async def _follows_until_told(home: Home, away: Home) -> None:
    """Without --once it follows until a signal ends it, and says what it did."""
    running = _started(home, away)
    assert running.stderr is not None
    assert running.stderr.readline().startswith(f"vacancy: carrying catalogue@{home.namespace} to campsite@")
    [news] = await home.says(_night(8))
    codec = codec_of(away.layout.codec)
    while news not in [read(codec, away.layout, record) for record in await away.heard([away.layout.events])]:  # noqa: ASYNC110
        await asyncio.sleep(0.1)
    running.send_signal(signal.SIGTERM)
    out, err = running.communicate(timeout=30)
    assert (running.returncode, out) == (0, "carried 1, there already 0, dead letters 0\n"), err


def _started(home: Home, away: Home) -> subprocess.Popen[str]:
    asked = [str(part) for part in between(home, away)]
    return subprocess.Popen(command(*asked), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
