"""Receipts over HTTP: a page for whoever has the key or the link, made once and kept."""

from __future__ import annotations

import asyncio
import itertools
import uuid
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest

from adapters import receipt_page
from adapters.receipt_words import Facts
from adapters.storage import receipts_folder
from domain.receipts import receipt_id_of, receipt_request_of
from streams.events.payment_news import PaymentSucceeded
from streams.events.receipts import ReceiptWritten, RequestReceipt
from tests.web.conftest import Gateway, stay
from web.receipts import prefers_json


async def paid(gateway: Gateway, **more: Any) -> RequestReceipt:
    """A stay that was booked and paid, and its receipt asked for."""
    await gateway.unit()
    gateway.instance.now = datetime.now(UTC)  # links are signed with the time of their receipt
    booked = await gateway.call("POST", "/api/reservations", stay(**more))
    assert booked.status == 201, await booked.text()
    news = next(each for each in gateway.instance.published if isinstance(each.data, PaymentSucceeded))
    asked = receipt_request_of(news)
    assert asked is not None
    await gateway.instance.append(asked, source="test")
    return asked


def path_of(asked: RequestReceipt) -> str:
    return f"/api/receipts/{receipt_id_of(asked.payment_id)}"


def stored(gateway: Gateway) -> list[Path]:
    return sorted((gateway.instance.directory / "receipts").rglob("*.pdf"))


@pytest.fixture
def rendered(monkeypatch: pytest.MonkeyPatch) -> list[Facts]:
    """What was typeset, in its order."""
    found: list[Facts] = []
    render = receipt_page.Printer.render

    def counted(self: receipt_page.Printer, facts: Facts) -> bytes:
        found.append(facts)
        return render(self, facts)

    monkeypatch.setattr(receipt_page.Printer, "render", counted)
    return found


@pytest.mark.proves("CAT-21")
async def test_a_receipt_is_a_page_to_be_printed(gateway: Gateway, rendered: list[Facts]) -> None:
    asked = await paid(gateway)
    assert rendered == []
    answer = await gateway.call("GET", path_of(asked))
    page = await answer.read()
    assert (answer.status, answer.content_type, page[:5]) == (200, "application/pdf", b"%PDF-")
    (facts,) = rendered
    assert answer.headers["Content-Disposition"] == f'inline; filename="{facts.number}.pdf"'
    assert answer.headers["Cache-Control"] == "private, no-cache"
    assert (facts.guest, facts.provider, facts.amount, facts.brand, facts.last4) == (
        "Ada Guest",
        "PROP-001",
        asked.amount,
        "visa",
        "4242",
    )
    (line,) = facts.lines
    assert (str(line.start), str(line.end)) == (stay()["check_in"], stay()["check_out"])


async def test_a_page_is_made_once(gateway: Gateway, rendered: list[Facts]) -> None:
    asked = await paid(gateway)
    answers = await asyncio.gather(*(gateway.call("GET", path_of(asked)) for _ in range(8)))
    pages = {await answer.read() for answer in answers}
    pages.add(await (await gateway.call("GET", path_of(asked))).read())
    assert (len(pages), len(rendered)) == (1, 1)
    (file,) = stored(gateway)
    assert file.read_bytes() in pages


@pytest.mark.parametrize("damage", [b"", b"not a page", None])
async def test_a_damaged_page_is_made_again(gateway: Gateway, rendered: list[Facts], damage: bytes | None) -> None:
    asked = await paid(gateway)
    page = await (await gateway.call("GET", path_of(asked))).read()
    (file,) = stored(gateway)
    file.write_bytes(page[:-300] + bytes(300) if damage is None else damage)
    assert await (await gateway.call("GET", path_of(asked))).read() == page
    assert file.read_bytes() == page
    assert len(rendered) == 2


async def test_without_its_storage_a_page_is_served_anyway(gateway: Gateway, rendered: list[Facts]) -> None:
    asked = await paid(gateway)
    folder = gateway.instance.directory / "receipts" / receipts_folder(asked.user_id)
    folder.write_text("in the way")
    for _ in range(2):
        assert (await gateway.call("GET", path_of(asked))).status == 200
    folder.unlink()
    assert (await gateway.call("GET", path_of(asked))).status == 200
    assert len(rendered) == 3
    assert len(stored(gateway)) == 1


@pytest.mark.proves("CAT-21")
async def test_its_fields_are_for_programs(gateway: Gateway, rendered: list[Facts]) -> None:
    asked = await paid(gateway)
    answer = await gateway.call("GET", path_of(asked), Accept="application/json")
    body = await answer.json()
    assert (answer.content_type, rendered) == ("application/json", [])
    assert body["receipt_number"].startswith("RCP-")
    assert body["amount"] == {"amount": "200.00", "currency": "EUR"}
    assert body["method"] == {"type": "card", "brand": "visa", "last4": "4242"}
    assert (body["payment_id"], body["booking_id"]) == (asked.payment_id, asked.booking_id)
    assert "Ada" not in str(body)
    of_payment = await gateway.call("GET", f"/api/payments/{asked.payment_id}/receipt", Accept="application/json")
    assert await of_payment.json() == body


@pytest.mark.parametrize(
    ("accept", "json"),
    [
        ("", False),
        ("*/*", False),
        ("application/pdf", False),
        ("application/json", True),
        ("text/html,application/xhtml+xml,*/*;q=0.8", False),
        ("application/json, */*;q=0.1", True),
        ("application/json;q=0.2, application/pdf", False),
        ("application/json;q=0.9, application/pdf;q=x", True),
        ("application/*", False),
        ("APPLICATION/JSON", True),
    ],
)
def test_the_accept_header_chooses(accept: str, json: bool) -> None:
    assert prefers_json(accept) is json


async def test_whoever_holds_the_link_reads_the_page(gateway: Gateway) -> None:
    asked = await paid(gateway)
    body = await (await gateway.call("GET", path_of(asked), Accept="application/json")).json()
    link = body["links"]["page"].removeprefix("https://rooms.example")
    answer = await gateway.call("GET", link, key=None, Accept="application/json")
    assert (answer.status, answer.content_type) == (200, "application/pdf")
    assert await answer.read() == await (await gateway.call("GET", path_of(asked))).read()
    assert answer.headers["X-Robots-Tag"] == "noindex, nofollow"
    assert answer.headers["Referrer-Policy"] == "no-referrer"
    forged = await gateway.call("GET", link[:-9] + ("A" if link[-9] != "A" else "B") + link[-8:], key=None)
    assert (forged.status, forged.content_type) == (404, "text/html")


async def test_without_key_or_link_there_is_no_receipt(gateway: Gateway) -> None:
    asked = await paid(gateway)
    assert (await gateway.call("GET", path_of(asked), key=None)).status == 401
    assert (await gateway.call("GET", f"/api/payments/{asked.payment_id}/receipt", key=None)).status == 401
    assert (await gateway.call("GET", "/receipts", key=None)).status == 401


async def test_after_an_erasure_a_page_names_nobody(gateway: Gateway, rendered: list[Facts]) -> None:
    """Even where the stored one is still there."""
    asked = await paid(gateway)
    before = await (await gateway.call("GET", path_of(asked))).read()
    gateway.seals.erased.add(asked.user_id)
    after = await (await gateway.call("GET", path_of(asked))).read()
    assert after != before
    assert [facts.guest for facts in rendered] == ["Ada Guest", None]
    assert [file.read_bytes() for file in stored(gateway)] == [after]


async def test_a_user_erased_while_a_page_is_made_is_not_on_it(
    gateway: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = await paid(gateway)
    render = receipt_page.Printer.render
    names: list[str | None] = []

    def erasing(self: receipt_page.Printer, facts: Facts) -> bytes:
        gateway.seals.erased.add(asked.user_id)
        names.append(facts.guest)
        return render(self, facts)

    monkeypatch.setattr(receipt_page.Printer, "render", erasing)
    page = await (await gateway.call("GET", path_of(asked))).read()
    assert names == ["Ada Guest", None]
    assert [file.read_bytes() for file in stored(gateway)] == [page]


async def test_another_programs_guest_is_named_as_far_as_there_is_a_name(
    gateway: Gateway, rendered: list[Facts]
) -> None:
    asked = await paid(gateway)
    seals, about = gateway.seals, asked.about
    assert about is not None
    for number, (guest, name) in enumerate([('{"name": "Bo"}', "Bo"), ("[1]", None), ('{"first_name": 3}', None)]):
        sealed = msgspec.structs.replace(about, guest=await seals.seal(asked.user_id, guest))
        other = msgspec.structs.replace(asked, payment_id=f"p-{number}", about=sealed)
        await gateway.instance.append(other, source="test")
        assert (await gateway.call("GET", path_of(other))).status == 200
        assert rendered[-1].guest == name


async def test_every_kind_of_booking_has_a_page(gateway: Gateway, rendered: list[Facts]) -> None:
    """Nights and hours on the property's clock; goods have no time, nor has what no calendar can show."""
    asked = await paid(gateway)
    kinds: list[tuple[Any, int]] = [("stay", 2), ("booking", 1), ("order", 2), ("appointment", 1), (None, 0)]
    for zone, (kind, count) in itertools.product(("Europe/Berlin", "Nowhere"), kinds):
        other = _of_kind(asked, kind, count, zone)
        await gateway.instance.append(other, source="test")
        assert (await gateway.call("GET", path_of(other))).status == 200
        facts = rendered[-1]
        assert (len(facts.lines), facts.provider) == (count, "P1" if count == 1 else "")
        timeless = kind == "order" or (kind == "stay" and zone == "Nowhere")
        assert all((line.start is None) == timeless for line in facts.lines)


def _of_kind(asked: RequestReceipt, kind: Any, count: int, zone: str) -> RequestReceipt:
    assert asked.about is not None
    (line,) = asked.about.lines
    lines = tuple(msgspec.structs.replace(line, line=n, provider_id=f"P{n}") for n in range(1, count + 1))
    of = msgspec.structs.replace(asked.about, kind=kind, lines=lines, time_zone=zone) if kind else None
    return msgspec.structs.replace(asked, payment_id=f"{kind}-{zone}", about=of)


@pytest.mark.parametrize("wicked", [str(uuid.UUID(int=7)), "x", "..%2Fsecret", "%2e%2e%2fvacancy.json", "", "i%7C"])
async def test_nothing_but_a_receipt_is_served(gateway: Gateway, wicked: str) -> None:
    await paid(gateway)
    answer = await gateway.call("GET", f"/api/receipts/{wicked}")
    assert (answer.status, answer.content_type) == (404, "application/problem+json")
    assert (await gateway.call("GET", f"/api/payments/{uuid.uuid4()}/receipt")).status == 404


async def test_a_receipt_of_the_rules_1_is_read_as_it_was_written(gateway: Gateway) -> None:
    """Its payment finds its page, too."""
    asked = await paid(gateway)
    old = msgspec.structs.replace(asked, payment_id="p-old", rules=1, method=None)
    await gateway.instance.append(old, source="test")
    await gateway.instance.append(ReceiptWritten(payment_id="p-old", effect_id="f"), source="test")
    assert (await gateway.call("GET", path_of(old))).status == 404
    text = gateway.instance.directory / "receipts" / f"{receipt_id_of('p-old')}.txt"
    text.write_text("Receipt RCP-2026-000001\n")
    answer = await gateway.call("GET", path_of(old))
    assert (answer.content_type, await answer.text()) == ("text/plain", "Receipt RCP-2026-000001\n")
    of_payment = await gateway.call("GET", "/api/payments/p-old/receipt")
    assert of_payment.content_type == "application/pdf"


async def test_while_an_owner_is_away_nobody_is_told_that_there_is_none(gateway: Gateway) -> None:
    asked = await paid(gateway)
    gateway.instance.workers.values.clear()
    assert (await gateway.call("GET", path_of(asked))).status == 503
