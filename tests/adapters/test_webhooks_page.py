"""The receiver that docs/webhooks.md shows takes what we send, once, and nothing of others."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from aiohttp.test_utils import TestServer

from adapters.hook_sender import HookSender

PAGE = Path(__file__).resolve().parents[2] / "docs" / "webhooks.md"
SECRET = "whsec_c2VjcmV0IG9uZSBmb3IgdGhlIHRlc3Q="


async def test_the_receiver_of_the_page_works(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    found = re.search(r"```python\n(.*?)```", PAGE.read_text("utf-8"), re.DOTALL)
    assert found is not None
    page: dict[str, Any] = {}
    exec(found[1], page)
    monkeypatch.setenv("WEBHOOK_SECRET", SECRET)
    sender = HookSender(private=True)
    async with TestServer(page["app"]) as server:
        url, body = str(server.make_url("/hooks")), '{"type": "payment.payment.failed", "data": {}}'
        for secret, status in ((SECRET, 204), (SECRET, 204), ("whsec_b3RoZXI=", 401)):
            sent = await sender.send("w1", url, "e1", body, form="standard", secrets=[secret])
            assert sent.status == status
    await sender.close()
    assert capsys.readouterr().out == "payment.payment.failed {}\n"
