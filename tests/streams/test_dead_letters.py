"""Dead letters: what one says, which are asked for, what an edit makes of one, and to whom a replay goes."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.codec import decode, encode
from streams.dead_letters import Class, Letter, dead_letter, edited_copy, letter_of
from streams.envelope import originate
from streams.events.control import DeadLetterHandled
from streams.events.payment import Refund
from streams.keys import partition_of
from streams.layout import load_layout
from streams.letter_desk import Desk, Outcome
from streams.letters import BadEdit, Filter, Standing, Status, place_of, with_changes
from streams.publisher import Record
from streams.replays import Unreplayable, for_group, replay_of, replays_topic
from streams.services import BOOKING, PAYMENT
from tests.memory_letters import MemoryLetters
from tests.memory_log import MemoryLog, Stored

LAYOUT = load_layout("catalogue")
GATE = LAYOUT.group("gate")
INBOX = BOOKING.inbox
ENTRIES = "vacancy.dead-letters"
CREATED = "booking.booking.created"
NOW = datetime(2026, 12, 24, 12, tzinfo=UTC)
_PARTS = st.none() | st.binary(max_size=40)
_HEADERS = st.lists(
    st.tuples(st.sampled_from(["ce_id", "vacancy-dlq-reason", "vacancy-dlq-value", "x"]), st.binary(max_size=9)),
    max_size=4,
)


def buried(
    topic: str,
    value: bytes | None,
    *,
    group: str = GATE,
    kind: Class = "undecodable",
    headers: tuple[tuple[str, bytes], ...] = (),
    partition: int = 2,
) -> Letter:
    """The letter of a record, as it is read from its topic."""
    origin = Stored(topic, partition, 41, 1_700_000_000_000, b"k", value, headers)
    return lying(dead_letter(origin, reason="no JSON", kind=kind, group=group), topic)


def lying(record: Record, topic: str, offset: int = 17) -> Letter:
    return letter_of(
        Stored(f"{topic}.dlq", 0, offset, 1_700_000_000_500, record.key, record.value, tuple(record.headers))
    )


@pytest.mark.proves("CAT-25")
@given(key=_PARTS, value=_PARTS, headers=_HEADERS, kind=st.sampled_from(["undecodable", "refused"]))
def test_a_letter_says_what_came_and_where_it_failed(
    key: bytes | None, value: bytes | None, headers: list[tuple[str, bytes]], kind: Class
) -> None:
    origin = Stored(INBOX, 3, 41, 1_700_000_000_000, key, value, tuple(headers))
    first, last = NOW, NOW + timedelta(seconds=3)
    record = dead_letter(origin, reason="why", kind=kind, group="g", attempts=4, first=first, last=last)
    letter = lying(record, INBOX)
    assert (letter.key, letter.value, tuple(letter.headers)) == (key, value, tuple(headers))
    assert (letter.id, letter.reason, letter.kind, letter.group) == (f"{INBOX}/17", "why", kind, "g")
    assert (letter.origin_topic, letter.origin_partition, letter.origin_offset) == (INBOX, 3, 41)
    assert (letter.attempts, letter.replays) == (4, 0)
    assert (datetime.fromisoformat(letter.first), datetime.fromisoformat(letter.last)) == (first, last)


def test_what_another_program_left_there_can_be_looked_at_too() -> None:
    letter = letter_of(Stored(f"{INBOX}.dlq", 0, 3, -1, None, b"\xff", (("vacancy-dlq-offset", b"x"),)))
    assert (letter.id, letter.kind, letter.origin_offset, letter.attempts) == (f"{INBOX}/3", "", 0, 1)
    with pytest.raises(Unreplayable):
        replay_of(msgspec.structs.replace(letter, topic="nobody.reads.this"), LAYOUT, 1)


def test_an_edited_copy_names_its_letter_and_keeps_what_it_does_not_change() -> None:
    letter = buried(CREATED, None, headers=(("ce_id", b"7"),))
    copy = lying(edited_copy(letter, b"{}"), CREATED, 18)
    assert (copy.value, copy.edited_from, copy.key) == (b"{}", letter.id, b"k")
    assert (copy.headers, copy.reason, copy.origin_offset) == (letter.headers, letter.reason, letter.origin_offset)
    again = lying(edited_copy(copy, b"[]"), CREATED, 19)
    assert (again.edited_from, again.value) == (copy.id, b"[]")


def test_an_edit_sets_what_it_names_and_nothing_else() -> None:
    value = b'{"data": {"quantity": 1, "lines": [{"n": 1}]}, "z": 0.1}'
    changed = with_changes(value, [("data.quantity", 2), ("data.lines.0.n", None), ("data.new", "x")])
    assert changed == b'{"data":{"quantity":2,"lines":[{"n":null}],"new":"x"},"z":0.1}'
    for path in ("data.lines.1.n", "data.lines.x", "data.none.x", "z.q", "data."):
        with pytest.raises(BadEdit):
            with_changes(value, [(path, 1)])
    with pytest.raises(BadEdit, match="no JSON"):
        with_changes(b"\xff", [("a", 1)])


@pytest.mark.parametrize(
    ("wanted", "covered"),
    [
        (Filter(), True),
        (Filter(status=None), True),
        (Filter(status="dropped"), False),
        (Filter(topic=INBOX, kind="undecodable", group=GATE, key="k", reason="NO json"), True),
        (Filter(topic=f"{INBOX}x"), False),
        (Filter(kind="refused"), False),
        (Filter(group="another"), False),
        (Filter(key="j"), False),
        (Filter(reason="yes"), False),
        (Filter(since=datetime(2023, 11, 14, tzinfo=UTC), until=datetime(2023, 11, 15, tzinfo=UTC)), True),
        (Filter(since=datetime(2023, 11, 15, tzinfo=UTC)), False),
        (Filter(until=datetime(2023, 11, 14, tzinfo=UTC)), False),
        (Filter(ids=frozenset({f"{INBOX}/17"})), True),
        (Filter(ids=frozenset({f"{INBOX}/18"})), False),
    ],
)
def test_what_a_filter_covers(wanted: Filter, covered: bool) -> None:
    assert wanted.covers(buried(INBOX, b"x"), "open") is covered


def test_ids_are_places() -> None:
    assert place_of("a/b/17") == ("a/b", 17)
    assert [place_of(each) for each in ("", "17", "/17", "a/", "a/x", "a/-1", "a/²")] == [None] * 7


def test_what_failed_again_after_three_replays_is_quarantined() -> None:
    standing, letters = Standing(), [buried(INBOX, b"x", headers=(("vacancy-replays", b"%d" % n),)) for n in range(5)]
    assert [standing.status(each) for each in letters] == ["open", "open", "open", "quarantined", "quarantined"]
    assert "3 replays" in (standing.objection(letters[3]) or "")
    entry = DeadLetterHandled(letter=letters[2].id, action="replayed", kind="refused", by="o", at=NOW, replays=3)
    for _ in range(2):  # read twice it says the same
        standing.take(entry)
    assert (standing.status(letters[2]), standing.replays(letters[2])) == ("replayed", 3)


def test_a_letter_of_an_inbox_goes_back_to_it() -> None:
    letter = buried(INBOX, b"\xff", headers=(("x", b"1"), ("vacancy-replays", b"1"), ("vacancy-replay-group", b"g")))
    topic, partition, record = replay_of(letter, LAYOUT, 2)
    assert (topic, partition, record.key, record.value) == (INBOX, 2, b"k", b"\xff")
    assert record.headers == (("x", b"1"), ("vacancy-replays", b"2"))
    again = dead_letter(
        Stored(INBOX, 2, 50, 1, record.key, record.value, tuple(record.headers)), reason="", kind="refused", group="g"
    )
    assert lying(again, INBOX).replays == 2


def test_a_message_that_can_be_read_goes_where_its_key_belongs() -> None:
    event = Refund(payment_id="p-1", refund_id="r", amount=Decimal(1), reason="", booking_id="b")
    value = encode(originate(event, source="test", now=NOW))
    at_home = partition_of("p-1", LAYOUT.partitions)
    letter = buried(PAYMENT.inbox, value, partition=(at_home + 1) % LAYOUT.partitions)
    assert replay_of(letter, LAYOUT, 1).partition == at_home


def test_a_letter_of_a_documented_topic_goes_to_the_group_that_failed_and_nowhere_else() -> None:
    origin = (("ce_id", b"7"),)
    for value in (b"\xff", None):
        letter = buried(CREATED, value, headers=origin)
        topic, partition, record = replay_of(letter, LAYOUT, 1)
        assert (topic, partition) == ("vacancy.replays", 0) == (replays_topic(LAYOUT).name, 0)
        stored = Stored(topic, 0, 5, 1, record.key, record.value, tuple(record.headers))
        assert for_group(stored, "another", LAYOUT) is None
        meant = for_group(stored, GATE, LAYOUT)
        assert meant is not None
        assert (meant.topic, meant.partition, meant.offset, meant.timestamp) == (CREATED, 2, 41, 1_700_000_000_000)
        assert (meant.key, meant.value, tuple(meant.headers)) == (b"k", value, origin)
        # Failed again, it knows where it first stood all the same.
        again = lying(dead_letter(stored, reason="", kind="refused", group=GATE), CREATED)
        assert (again.replays, again.origin_topic) == (1, "vacancy.replays")
        _, _, record = replay_of(again, LAYOUT, 2)
        meant = for_group(Stored(topic, 0, 6, 1, record.key, record.value, tuple(record.headers)), GATE, LAYOUT)
        assert meant is not None
        assert (meant.offset, meant.partition, tuple(meant.headers)) == (41, 2, origin)
    with pytest.raises(Unreplayable, match="bridge"):
        replay_of(buried(CREATED, b"x", group="a-bridge"), LAYOUT, 1)


class Office:
    """A desk before so many letters of an inbox, and one of a documented topic."""

    def __init__(self, letters: int = 3) -> None:
        self.log = MemoryLog()
        for number in range(letters):
            self.bury(INBOX, b"%d" % number)
        self.bury(CREATED, b"\xff")
        self.letters = MemoryLetters(self.log)
        self.desk = Desk(self.letters, LAYOUT, lambda: NOW)

    def bury(self, topic: str, value: bytes, *headers: tuple[str, bytes]) -> None:
        origin = Stored(topic, 1, 0, 1, b"k", value, headers)
        self.log.append(f"{topic}.dlq", 0, dead_letter(origin, reason="r", kind="undecodable", group=GATE))

    async def found(self, wanted: Filter, after: tuple[str, int] | None = None) -> list[tuple[str, Status]]:
        return [(each.letter.id, each.status) async for each in self.desk.look_through(wanted, after) if each.wanted]

    async def some(self, wanted: Filter) -> AsyncGenerator[Letter, None]:
        async for each in self.desk.look_through(wanted):
            if each.wanted:
                yield each.letter

    async def replay(self, wanted: Filter, *, force: bool = False) -> list[Outcome]:
        return [each async for each in self.desk.answer(self.some(wanted), "replayed", by="ada", force=force)]

    def entries(self) -> list[DeadLetterHandled]:
        said = [decode(record.value).data for record in self.log.read(ENTRIES)]
        return [each for each in said if isinstance(each, DeadLetterHandled)]


@pytest.mark.proves("HTL-38")
async def test_letters_are_found_page_by_page_replayed_once_and_written_down() -> None:
    office = Office()
    everything = [(f"{CREATED}/0", "open"), *((f"{INBOX}/{number}", "open") for number in range(3))]
    assert await office.found(Filter()) == everything
    assert await office.found(Filter(), (INBOX, 0)) == everything[2:]
    assert {each.refused for each in await office.replay(Filter())} == {None}
    assert [record.value for record in office.log.read(INBOX, 1)] == [b"0", b"1", b"2"]
    assert len(office.log.read("vacancy.replays")) == 1
    assert [(each.letter, each.action, each.by, each.replays) for each in office.entries()] == [
        (letter, "replayed", "ada", 1) for letter, _ in everything
    ]
    assert await office.found(Filter()) == []
    [outcome] = await office.replay(Filter(ids=frozenset({f"{INBOX}/1"}), status=None))
    assert "replayed before" in (outcome.refused or "")
    await office.replay(Filter(ids=frozenset({f"{INBOX}/1"}), status=None), force=True)
    assert dict(office.log.read(INBOX, 1)[-1].headers)["vacancy-replays"] == b"2"
    # Somebody else reads the same of the log.
    other = Desk(office.letters, LAYOUT)
    found = await other.get(f"{INBOX}/1")
    assert found is not None
    assert found.status == "replayed"
    assert [each.letter async for each in other.history()][-1] == f"{INBOX}/1"


async def test_a_crash_between_a_replay_and_its_entry_leaves_the_letter_open() -> None:
    office = Office(1)
    office.letters.fail_on = ENTRIES
    with pytest.raises(ConnectionError):
        await office.replay(Filter(topic=INBOX))
    assert len(office.log.read(INBOX, 1)) == 1
    office.letters.fail_on = ""
    assert await office.found(Filter(topic=INBOX)) == [(f"{INBOX}/0", "open")]
    await office.replay(Filter(topic=INBOX))
    # Of both the count is one: it is not taken for one that keeps failing.
    assert [dict(record.headers)["vacancy-replays"] for record in office.log.read(INBOX, 1)] == [b"1", b"1"]


async def test_what_keeps_failing_is_replayed_only_if_somebody_insists_but_may_be_edited() -> None:
    office = Office(0)
    office.bury(INBOX, b"again", ("vacancy-replays", b"3"))
    letter_id = f"{INBOX}/0"
    assert await office.found(Filter(status="quarantined")) == [(letter_id, "quarantined")]
    [outcome] = await office.replay(Filter(ids=frozenset({letter_id}), status=None))
    assert "3 replays" in (outcome.refused or "")
    found = await office.desk.get(letter_id)
    assert found is not None
    assert office.desk.objection(found.letter, "edited", force=False) is None
    copy = await office.desk.edit(found.letter, b"{}", by="ada", note="a typo")
    assert (await office.found(Filter(status=None, topic=INBOX)))[0] == (letter_id, "edited")
    assert (office.entries()[-1].copy, office.entries()[-1].note) == (copy, "a typo")
    [replayed] = await office.replay(Filter(ids=frozenset({copy})))
    assert (replayed.letter.id, replayed.refused) == (copy, None), "what failed so often was another value"
    [outcome] = await office.replay(Filter(ids=frozenset({letter_id}), status=None), force=True)
    assert outcome.refused is None


async def test_ten_thousand_letters_are_counted_once_and_a_page_reads_no_more_than_it_shows() -> None:
    office = Office(10_000)
    counts, whole = await office.desk.counts(4_000)
    assert (sum(counts.values()), whole) == (4_000, False)
    counts, whole = await office.desk.counts(10_000)
    assert (counts[INBOX, "undecodable"], counts[CREATED, "undecodable"], whole) == (10_000, 1, True)
    office.letters.reads = 0
    assert (await office.desk.counts(10_000))[1]
    assert office.letters.reads == 0
    page = office.desk.look_through(Filter(), (INBOX, 5_000))
    shown = [await anext(page) for _ in range(100)]
    await page.aclose()
    assert [each.letter.offset for each in shown if each.wanted] == list(range(5_001, 5_101))
    assert office.letters.reads == 100


async def test_there_is_no_letter_where_none_lies() -> None:
    office = Office()
    for letter_id in ("", "17", f"{INBOX}/3", "another.topic/0", f"{INBOX}/x"):
        assert await office.desk.get(letter_id) is None
