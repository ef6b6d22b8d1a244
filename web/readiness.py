"""Whether a gateway can serve: every partition of every service has an owner, and the owners were seen ready once.

After that first time only the claims count: a worker that restarts is waited for by each request, and does not take the
gateway out of service.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

from aiohttp import ClientError, ClientSession, ClientTimeout

from streams.events.control import WorkerOwns
from web.ports import Follows

_PROBE = ClientTimeout(total=1)


class Readiness:
    def __init__(
        self, http: ClientSession, workers: Follows[WorkerOwns], services: Iterable[str], partitions: int
    ) -> None:
        self._http = http
        self._workers = workers
        self._claims = [f"{service}/{number}" for service in services for number in range(partitions)]
        self._seen_ready = False

    async def missing(self) -> list[str]:
        """What is waited for, e.g. "an owner of booking/3"; empty when ready."""
        missing = [f"an owner of {claim}" for claim in self._claims if self._workers.get(claim) is None]
        if not missing and not self._seen_ready:
            # What an earlier run claimed is still on the topic: ask whether those owners are there.
            missing = await self._not_ready()
            self._seen_ready = not missing
        return missing

    def owners(self) -> dict[str, str]:
        """The workers that own something, by name, with their newest address."""
        claims = sorted((claim for _, claim in self._workers.items()), key=lambda claim: claim.since)
        return {claim.worker: claim.url for claim in claims}

    async def _not_ready(self) -> list[str]:
        owning = {claim.url: claim.worker for claim in map(self._workers.get, self._claims) if claim is not None}
        answers = await asyncio.gather(*(self._is_ready(url) for url in owning))
        return sorted({worker for worker, ready in zip(owning.values(), answers, strict=True) if not ready})

    async def _is_ready(self, url: str) -> bool:
        try:
            async with self._http.get(f"{url}/readyz", timeout=_PROBE) as answer:
                return answer.status == 200
        except (ClientError, TimeoutError, OSError):
            return False
