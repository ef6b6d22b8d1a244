"""The page that Prometheus reads: who is behind, the workers' counts as one, what is known while nobody answers."""

from __future__ import annotations

import asyncio
import logging
import time
import uuid
from collections.abc import AsyncGenerator, AsyncIterator, Iterable

import pytest
from aiohttp import ClientSession, web
from aiohttp.test_utils import TestServer
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from prometheus_client import Metric
from prometheus_client.parser import text_string_to_metric_families

from config.settings import Settings
from streams.admin import apply
from streams.dead_letters import Letter
from streams.lag import LogWatch, Standing
from streams.layout import load_layout
from streams.letter_desk import Desk
from streams.letter_log import KafkaLetters
from streams.topics import dead_letter_name
from web.looking import Looking
from web.metrics import Metrics
from web.sums import Sums
from web.watch import States, Watch

#: By name and labels.
Samples = dict[tuple[str, frozenset[tuple[str, str]]], float]
STANDING = Standing(
    lag={("t", "g"): 7}, age={("t", "g"): 2.5}, messages={"t": 40, "t.dlq": 3}, letters={"t": 3}, open_letters={"t": 2}
)


def samples(families: Iterable[Metric]) -> Samples:
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in families
        for sample in family.samples
    }


def named(name: str, **labels: str) -> tuple[str, frozenset[tuple[str, str]]]:
    return name, frozenset(labels.items())


def worker_page(errors: float, started: float = 1.0) -> str:
    """What a worker's `/metrics` says."""
    labels = 'topic="t",consumer_group="g"'
    took = "kafka_consumer_processing_duration_seconds"
    return f"""# TYPE kafka_consumer_errors_total counter
kafka_consumer_errors_total{{{labels}}} {errors}
# TYPE kafka_consumer_errors_created gauge
kafka_consumer_errors_created{{{labels}}} 1.7e9
# TYPE {took} histogram
{took}_bucket{{{labels},le="5.0"}} {errors}
{took}_bucket{{{labels},le="+Inf"}} {errors * 2}
{took}_count{{{labels}}} {errors * 2}
{took}_sum{{{labels}}} 9.5
# TYPE vacancy_worker_ready gauge
vacancy_worker_ready{{service="booking"}} 1.0
# TYPE process_start_time_seconds gauge
process_start_time_seconds {started}
"""


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
async def workers() -> AsyncIterator[dict[str, str]]:
    """Two workers that answer, and one that does not."""
    app = web.Application()

    async def metrics(request: web.Request) -> web.Response:
        return web.Response(text=worker_page(3 if request.match_info["part"] == "worker-1" else 4))

    app.router.add_get("/{part}/metrics", metrics)
    async with TestServer(app) as server:
        pages = {part: str(server.make_url(part)) for part in ("worker-1", "worker-2")}
        yield {**pages, "worker-3": "http://127.0.0.1:1"}


async def stands() -> Standing:
    return STANDING


async def states() -> States:
    return {("stay", "PENDING"): 2, ("stay", "CONFIRMED"): 9}


@pytest.mark.proves("CAT-35", "CAT-36")
async def test_the_catalogues_metrics_have_its_names_and_labels(workers: dict[str, str]) -> None:
    watch = Watch(stands, states)
    async with ClientSession() as http:
        page = (await Metrics(watch).page(http, workers)).decode()
    found = samples(text_string_to_metric_families(page))
    reading = {"topic": "t", "consumer_group": "g"}
    took = "kafka_consumer_processing_duration_seconds"
    expected = {
        named("kafka_consumer_lag", **reading): 7,
        named("kafka_consumer_lag_seconds", **reading): 2.5,
        named("kafka_consumer_errors_total", **reading): 7,
        named(f"{took}_bucket", **reading, le="5.0"): 7,
        named(f"{took}_bucket", **reading, le="+Inf"): 14,
        named(f"{took}_count", **reading): 14,
        named(f"{took}_sum", **reading): 19,
        named("kafka_dlq_messages_total", topic="t"): 3,
        named("kafka_topic_messages_total", topic="t"): 40,
        named("kafka_topic_messages_total", topic="t.dlq"): 3,
    }
    assert {each: value for each, value in found.items() if each[0].startswith("kafka_")} == expected
    assert found[named("vacancy_dead_letters_open", topic="t")] == 2
    assert found[named("vacancy_saga_states", kind="stay", status="PENDING")] == 2
    assert found[named("vacancy_worker_ready", service="booking", part="worker-1")] == 1
    assert [found[named("vacancy_part_up", part=part)] for part in workers] == [1, 1, 0]
    assert found[named("vacancy_lag_age_seconds")] < 60
    assert "# TYPE kafka_dlq_messages_total gauge" in page
    assert "# TYPE kafka_topic_messages_total counter" in page


async def test_a_broker_that_is_away_keeps_nobody_waiting() -> None:
    """What was known last is still told, and how old it is."""
    clock, away = Clock(), asyncio.Event()

    async def look() -> Standing:
        if clock.now > 0:
            await away.wait()
        return STANDING

    watch = Watch(look, states)
    watch.standing = Looking("the lag", look, every=5.0, clock=clock)
    await watch.refresh()
    clock.now = 100.0
    await watch.standing.refresh(patience=0.01)
    await watch.standing.refresh(patience=0.01)
    found = samples(watch.collect())
    assert found[named("kafka_consumer_lag", topic="t", consumer_group="g")] == 7
    assert found[named("vacancy_lag_age_seconds")] == 100
    away.set()
    await watch.standing.refresh()
    assert samples(watch.collect())[named("vacancy_lag_age_seconds")] == 0
    await watch.close()


async def test_an_answer_that_is_new_is_not_asked_for_again() -> None:
    clock, asked = Clock(), 0

    async def ask() -> int:
        nonlocal asked
        asked += 1
        await asyncio.sleep(0)
        return asked

    looking = Looking("a number", ask, every=5.0, clock=clock)
    await asyncio.gather(*(looking.refresh() for _ in range(3)))
    clock.now = 4.9
    await looking.refresh()
    assert (looking.answer, asked) == (1, 1)
    clock.now = 5.0
    await looking.refresh()
    assert (looking.answer, looking.age) == (2, 0)


async def test_a_question_that_fails_is_logged_once_and_asked_again(caplog: pytest.LogCaptureFixture) -> None:
    clock, down = Clock(), True

    async def ask() -> str:
        if down:
            raise OSError("no connection")
        return "there"

    looking = Looking("the lag", ask, every=5.0, clock=clock)
    for clock.now in (1.0, 2.0):
        await looking.refresh()
    assert (looking.answer, looking.age) == (None, 2.0)
    assert [record.getMessage() for record in caplog.records if record.levelno == logging.WARNING] == [
        "the lag is not known: OSError: no connection"
    ]
    down = False
    await looking.refresh()
    assert (looking.answer, looking.age) == ("there", 0.0)
    await looking.close()


async def test_who_closes_does_not_wait_for_the_answer() -> None:
    async def ask() -> None:
        await asyncio.Event().wait()

    looking = Looking("nothing", ask, every=5.0)
    await looking.refresh(patience=0.01)
    await looking.close()
    assert looking.answer is None


def test_sums_never_fall() -> None:
    """Neither when a worker begins anew, nor when it is away, nor when its older page comes after a newer one."""
    sums = Sums()

    def errors(part: str, count: float, started: float) -> float:
        sums.take(part, text_string_to_metric_families(worker_page(count, started)))
        return samples(sums.collect())[named("kafka_consumer_errors_total", topic="t", consumer_group="g")]

    assert errors("worker-1", 5, started=1.0) == 5
    assert errors("worker-2", 2, started=1.5) == 7
    assert errors("worker-1", 4, started=1.0) == 7  # came late
    assert errors("worker-1", 0, started=2.0) == 7  # begun anew
    assert errors("worker-1", 3, started=2.0) == 10
    assert errors("worker-1", 9, started=1.0) == 10  # of the process before
    sums.take("worker-2", [])  # away
    assert errors("worker-1", 3, started=2.0) == 10
    assert errors("worker-2", 1, started=3.0) == 11


def test_without_a_watch_the_page_has_what_there_is() -> None:
    names = {family.name for family in Metrics().registry.collect()}
    assert "vacancy_http_requests" in names
    assert not any(name.startswith("kafka_") for name in names)


@pytest.mark.broker
@pytest.mark.timeout(240)
@pytest.mark.proves("CAT-35", "CAT-36")
async def test_the_broker_knows_who_is_behind_when_no_worker_is_there(kafka: str) -> None:
    layout = load_layout(Settings(namespace=f"lag{uuid.uuid4().hex[:6]}"))
    await apply(kafka, layout, "local")
    inbox, group = layout.services["booking"].inbox, layout.group("booking")
    begun = time.time()
    async with AIOKafkaProducer(bootstrap_servers=kafka) as producer:
        for _ in range(5):
            await producer.send_and_wait(inbox, b"x", partition=1)
        for _ in range(2):
            await producer.send_and_wait(dead_letter_name(inbox), b"x")
    letters = KafkaLetters(kafka)
    log_watch = LogWatch(kafka, layout, Desk(letters, layout))
    reading = {"topic": inbox, "consumer_group": group}
    try:
        found = await read(log_watch)
        assert found[named("kafka_consumer_lag", **reading)] == 5
        assert 0 < found[named("kafka_consumer_lag_seconds", **reading)] < time.time() - begun + 1
        assert found[named("kafka_dlq_messages_total", topic=inbox)] == 2
        assert found[named("vacancy_dead_letters_open", topic=inbox)] == 2
        assert found[named("kafka_topic_messages_total", topic=inbox)] == 5
        assert sum(value for (name, _), value in found.items() if name == "kafka_consumer_lag") == 5
        await commit(kafka, group, TopicPartition(inbox, 1), 5)
        await drop(Desk(letters, layout), f"{inbox}/1")
        found = await read(log_watch)
        assert found[named("kafka_consumer_lag", **reading)] == 0
        assert found[named("kafka_consumer_lag_seconds", **reading)] == 0
        assert found[named("kafka_dlq_messages_total", topic=inbox)] == 2
        assert found[named("vacancy_dead_letters_open", topic=inbox)] == 1
    finally:
        await log_watch.stop()
        await letters.stop()


async def read(log_watch: LogWatch) -> Samples:
    """The page of a gateway that has just begun."""
    while True:
        watch = Watch(log_watch.look, states)
        await watch.standing.refresh(patience=60)
        if watch.standing.answer is not None:
            break
        await asyncio.sleep(0.2)  # a new broker knows of groups a moment after the first was named
    async with ClientSession() as http:
        page = (await Metrics(watch).page(http, {})).decode()
    return samples(text_string_to_metric_families(page))


async def drop(desk: Desk, letter: str) -> None:
    """As somebody else does it, who does not tell the gateway."""
    found = await desk.get(letter)
    assert found is not None

    async def only() -> AsyncGenerator[Letter, None]:
        yield found.letter

    assert [each.refused async for each in desk.answer(only(), "dropped", by="ada")] == [None]


async def commit(kafka: str, group: str, tp: TopicPartition, offset: int) -> None:
    consumer = AIOKafkaConsumer(bootstrap_servers=kafka, group_id=group, enable_auto_commit=False)
    await consumer.start()
    try:
        consumer.assign([tp])
        await consumer.commit({tp: offset})
    finally:
        await consumer.stop()
