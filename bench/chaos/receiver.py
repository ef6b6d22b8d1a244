"""A receiver of our webhooks, as another company would run one: it checks every signature and remembers every id."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from aiohttp import web
from standardwebhooks import Webhook, WebhookVerificationError


@dataclass
class Receiver:
    """Listens on a port of its own. `secret` is what the endpoint was made with, set once that is known."""

    secret: str = ""
    #: How often each event came, by its id, with a signature that holds.
    received: Counter[str] = field(default_factory=Counter)
    #: Messages whose signature does not hold.
    forged: int = 0
    port: int = 0
    _runner: web.AppRunner | None = field(default=None, init=False)

    async def start(self) -> None:
        app = web.Application()
        app.router.add_post("/events", self._take)
        self._runner = web.AppRunner(app, access_log=None)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        self.port = self._runner.addresses[0][1]

    async def stop(self) -> None:
        if self._runner is not None:
            await self._runner.cleanup()

    async def _take(self, request: web.Request) -> web.Response:
        body = await request.text()
        try:
            Webhook(self.secret).verify(body, dict(request.headers))
        except WebhookVerificationError:
            self.forged += 1
            return web.Response(status=400)
        self.received[request.headers["webhook-id"]] += 1
        return web.Response(status=204)
