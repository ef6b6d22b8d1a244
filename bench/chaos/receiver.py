"""A receiver of our webhooks, as another company would run one: it checks every signature and remembers every id."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from aiohttp import web
from standardwebhooks import Webhook, WebhookVerificationError

_UNTIMELY = ("Message timestamp too old", "Message timestamp too new")


@dataclass
class Receiver:
    """Listens on a port of its own. `secret` is what the endpoint was made with, set once that is known."""

    secret: str = ""
    #: How often each event came, by its id, with a signature that holds.
    received: Counter[str] = field(default_factory=Counter)
    #: Messages whose signature does not hold.
    forged: int = 0
    #: Messages of a sender whose clock is off by more than five minutes: refused, and to be sent again.
    untimely: int = 0
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
        except WebhookVerificationError as error:
            if str(error) in _UNTIMELY:
                self.untimely += 1
            else:
                self.forged += 1
            return web.Response(status=400)
        self.received[request.headers["webhook-id"]] += 1
        return web.Response(status=204)
