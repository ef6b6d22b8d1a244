"""Spring's names for our settings, layer by layer (CLN-09..14)."""

from __future__ import annotations

from pathlib import Path

import pytest

from config import spring
from config.layers import load
from config.settings import SettingsError, TopicSettings
from streams.layout import LayoutError, load_layout

FILE = """
# Kafka
spring.kafka.bootstrap-servers=broker-1:9092,broker-2:9092
spring.kafka.producer.acks=-1
spring.kafka.producer.compression-type=gzip
spring.kafka.producer.batch-size=16384
spring.kafka.producer.properties.linger.ms=10
spring.kafka.producer.value-serializer=org.springframework.kafka.support.serializer.JsonSerializer
spring.kafka.consumer.group-id=clinic
spring.kafka.consumer.auto-offset-reset = earliest
spring.kafka.consumer.max-poll-records: 500
spring.kafka.listener.concurrency=3
kafka.topic.appointment-events.partitions=6
kafka.topic.appointment-events.replication-factor=2
kafka.topic.appointment-events.retention-days=14
logging.level.root=INFO
"""


@pytest.mark.proves("CLN-09", "CLN-10", "CLN-11", "CLN-12", "CLN-13", "CLN-14")
def test_a_properties_file_sets_what_it_names(tmp_path: Path) -> None:
    (tmp_path / "application.properties").write_text(FILE)
    found = load({"data": tmp_path, "layout": "clinic"})
    settings = found.settings
    assert settings.broker == "kafka://broker-1:9092,broker-2:9092"
    assert (settings.producer_acks, settings.producer_compression) == ("all", "gzip")
    assert (settings.producer_batch_bytes, settings.producer_linger_ms) == (16384, 10)
    assert (settings.consumer_max_poll_records, settings.workers) == (500, 3)
    assert settings.topics == {
        "appointment-events": TopicSettings(partitions=6, replication_factor=2, retention_days=14)
    }
    assert found.origins["broker"] == "file"
    assert [note.split(":")[0] for note in found.notes] == [
        "spring.kafka.producer.value-serializer",
        "spring.kafka.consumer.group-id",
        "spring.kafka.consumer.auto-offset-reset",
    ]
    topic = load_layout(settings).topics["appointment-events"]
    assert (topic.partitions, topic.replication, topic.retention_ms) == (6, 2, 14 * 24 * 3600 * 1000)


@pytest.mark.proves("CLN-09")
def test_layers_from_the_general_to_the_command_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """General file, environment's file, our own file, Spring's variables, ours, command line: the later wins."""

    def broker(**given: object) -> str | None:
        return load({"data": tmp_path, **given}).settings.broker

    (tmp_path / "application.properties").write_text("spring.kafka.bootstrap-servers=general:1\n")
    assert broker() == "kafka://general:1"
    (tmp_path / "application-local.properties").write_text("spring.kafka.bootstrap-servers=local:1\n")
    assert broker() == "kafka://local:1"
    (tmp_path / "vacancy.toml").write_text('broker = "kafka://own:1"\n')
    assert broker() == "kafka://own:1"
    monkeypatch.setenv("SPRING_KAFKA_BOOTSTRAP_SERVERS", "spring:1")
    assert broker() == "kafka://spring:1"
    monkeypatch.setenv("VACANCY_BROKER", "kafka://variable:1")
    assert broker() == "kafka://variable:1"
    assert broker(broker="kafka://line:1") == "kafka://line:1"


def test_another_environment_reads_its_own_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "application-production.properties").write_text("spring.kafka.bootstrap-servers=production:1\n")
    assert load({"data": tmp_path}).settings.broker is None
    monkeypatch.setenv("VACANCY_ENVIRONMENT", "production")
    assert load({"data": tmp_path}).settings.broker == "kafka://production:1"


def test_a_properties_file_can_be_named_and_our_own_may_use_the_names(tmp_path: Path) -> None:
    named = tmp_path / "clinic.properties"
    named.write_text("spring.kafka.bootstrap-servers=named:1\n")
    assert load({"data": tmp_path}, named).settings.broker == "kafka://named:1"
    own = tmp_path / "own.toml"
    own.write_text('"spring.kafka.bootstrap-servers" = "toml:1"\nport = 9000\n')
    settings = load({"data": tmp_path}, own).settings
    assert (settings.broker, settings.port) == ("kafka://toml:1", 9000)


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("spring.kafka.streams.application-id=x", "spring.kafka.streams.application-id: has no counterpart"),
        ("kafka.topic.appointment-events.compact=true", "kafka.topic.appointment-events.compact: has no counterpart"),
        ("kafka.topic.appointment-events.partitions=six", "kafka.topic.appointment-events.partitions: 'six' is not"),
        ("spring.kafka.producer.acks=2", "producer_acks"),
    ],
)
def test_what_cannot_be_is_refused_by_its_name(tmp_path: Path, line: str, says: str) -> None:
    (tmp_path / "application.properties").write_text(line)
    with pytest.raises(SettingsError, match=says.replace(".", r"\.")):
        load({"data": tmp_path})


def test_a_topic_the_layout_does_not_have_is_refused(tmp_path: Path) -> None:
    (tmp_path / "application.properties").write_text("kafka.topic.nothing.partitions=3")
    with pytest.raises(LayoutError, match="the layout catalogue has no such topic"):  # a SettingsError: exit code 2
        load_layout(load({"data": tmp_path}).settings)


def test_lines_are_read_as_java_reads_them() -> None:
    text = "! a comment\na=1\nb : 2\nc 3\nlong=one,\\\n    two\n"
    assert spring.parse(text) == {"a": "1", "b": "2", "c": "3", "long": "one,two"}


def test_a_childs_environment_carries_the_topics(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "application.properties").write_text("kafka.topic.booking-events.partitions=6")
    settings = load({"data": tmp_path, "layout": "campsite"}).settings
    for name, value in settings.environment_of().items():
        monkeypatch.setenv(name, value)
    (tmp_path / "application.properties").unlink()
    assert load().settings.topics == settings.topics
