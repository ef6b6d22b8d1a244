"""Who was told: every notice that the log implies was asked for, every one that was asked for is remembered, and every
text message that is remembered as sent was taken by the provider's sandbox once.

Read as: news of ours of a type that the layout's table of notices names, of a user the auditor can read, has a request
in the notification inbox for each channel; a text message only where the news says that there is a number. A group
reads a partition in order: news is still on its way while nothing after it was told of, or it is younger than a minute.
A request that the service has durably passed has a row. What still waits has an order that is under way, or a time at
which it is tried again that is not long over.
"""

from __future__ import annotations

import tomllib
from collections import defaultdict
from collections.abc import Mapping
from functools import cache
from importlib import resources
from urllib.parse import quote

from cli.audit import names, reminders
from cli.audit.changelog import NoticeRow
from cli.audit.erased import is_gone
from cli.audit.facts import Place, Told
from cli.audit.findings import Verdict
from cli.audit.history import GRACE, History
from cli.audit.wire import Letter, Record, short


@cache
def table_of(layout: str) -> Mapping[str, frozenset[str]]:
    """Type of news -> the channels it is told on, as the layout's file has it."""
    text = resources.files("config.layouts").joinpath(f"{layout}.toml").read_text(encoding="utf-8")
    channels: defaultdict[str, set[str]] = defaultdict(set)
    for channel, templates in tomllib.loads(text).get("notices", {}).items():
        for kind in templates.keys() - {names.REMINDER}:
            channels[kind].add(channel)
    return {kind: frozenset(found) for kind, found in channels.items()}


def news_told(history: History, record: Record, letter: Letter) -> None:
    """Files news that somebody is to be told of."""
    table = table_of(history.dialect.name)
    channels = table.get(letter.event_type, frozenset[str]())
    about = letter.data.get("about")
    known = about if isinstance(about, dict) else {}
    if known and not known.get("phone") and known.get("kind") != "appointment":
        channels -= {"sms"}
    # Of goods that are paid first a customer hears what became of payment and stock instead.
    otherwise = letter.event_type == names.REJECTED and names.STOCK_NEWS in table and not letter.data.get("at_entry")
    reminders.news_told(history, record, letter)
    if channels and letter.data.get("user_id") and not otherwise:
        place = Place(record.topic, record.partition, record.offset)
        history.tidings.append(Told(letter.event_type, letter.event_id, place, record.timestamp, channels))


def notice_asked(history: History, record: Record, letter: Letter) -> None:
    """Files the request for a notice."""
    data = letter.data
    history.told[data["cause_id"]].add(data["channel"])
    history.notices[data["notice_id"]] = quote(data["user_id"], safe=""), record.partition, record.offset


def notice_answered(history: History, record: Record, letter: Letter) -> None:
    """Files what became of an order."""
    history.replies.setdefault(short(letter.data["effect_id"]), (record.partition, record.offset))


def notice_ordered(history: History, record: Record, letter: Letter) -> None:
    """Files the order to hand a notice over: several of one stand on one partition, the last one counts."""
    history.orders[letter.data["notice_id"]] = short(letter.event_id)


def check(history: History) -> Verdict:
    verdict = Verdict("notices", "whoever is to be told of something is")
    _check_news(history, verdict)
    for notice, (user, partition, offset) in sorted(history.notices.items()):
        if not history.passed("notification", partition, offset):
            verdict.open += 1
            continue
        verdict.checked += 1
        if f"{user}|{notice}" not in history.rows["notice"]:
            verdict.find(notice, "was asked for, and there is no row of it")
    _check_waiting(history, verdict)
    _check_texts(history, verdict)
    reminders.check(history, verdict)
    if not verdict.checked and not verdict.open:
        verdict.applicable, verdict.note = False, "nobody is told of anything"
    return verdict


def _check_news(history: History, verdict: Verdict) -> None:
    """From the end of each partition: once something was told of, everything before it was."""
    passed: set[tuple[str, int]] = set()
    for news in sorted(history.tidings, key=lambda news: news.place.offset, reverse=True):
        partition = news.place.topic, news.place.partition
        missing = news.channels - history.told.get(news.event_id, set())
        if not missing:
            passed.add(partition)
            verdict.checked += 1
        elif partition in passed and news.at < history.now - GRACE:
            verdict.checked += 1
            verdict.find(news.event_id, f"{news.event_type} was not told by {', '.join(sorted(missing))}")
        else:
            verdict.open += 1


def _check_waiting(history: History, verdict: Verdict) -> None:
    # Whoever takes over looks through what came due meanwhile.
    awake = max(history.claims, default=0)
    for name, row in sorted(history.rows["notice"].items()):
        if not isinstance(row.content, NoticeRow) or row.content.status != "waiting":
            continue
        notice, due = name.rpartition("|")[2], row.content.due
        if due is None and _carried_out(history, notice):
            verdict.checked += 1
            verdict.find(notice, f"still waits, and nothing is under way to hand its {row.content.channel} over")
        elif due is not None and history.now > max(due, awake) + GRACE:
            verdict.checked += 1
            verdict.find(notice, "was parked, and not tried again when it was due")
        else:
            verdict.open += 1


def _carried_out(history: History, notice: str) -> bool:
    """Whether nothing more comes of the last order of a notice: its answer was decided, or there is no order.

    Whoever has seen a row has seen what was ordered with it, unless that is older than the days it is kept, which are
    more than those a notice is tried for.
    """
    order = history.orders.get(notice)
    if order is None:
        return True
    reply = history.replies.get(order)
    return reply is not None and history.passed("notification", *reply)


def _check_texts(history: History, verdict: Verdict) -> None:
    if history.texts is None:
        return
    gone = 0
    for name, row in sorted(history.rows["notice"].items()):
        if not isinstance(row.content, NoticeRow) or row.content[:2] != ("sms", "sent"):
            continue
        verdict.checked += 1
        if name.rpartition("|")[2] in history.texts:
            continue
        if is_gone(history, name, row.content.created):
            gone += 1
        else:
            verdict.find(name.rpartition("|")[2], "is remembered as sent, but there is no such text message")
    if gone:
        verdict.note = f"{gone} text messages went with users who were erased"
