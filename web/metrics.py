"""The gateway's own metrics, and the workers' beside them on one page (docs/monitoring.md)."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Iterable, Iterator

from aiohttp import ClientError, ClientSession, ClientTimeout, hdrs, web
from aiohttp.typedefs import Middleware
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, Metric, generate_latest
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.registry import Collector

from web.problems import Handler
from web.sums import Sums, is_summed
from web.watch import Watch

_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)
_TIMEOUT = ClientTimeout(total=2)

logger = logging.getLogger("vacancy.gateway")


class Metrics:
    """Counts requests by route, never by path: ids would make a series each."""

    def __init__(self, watch: Watch | None = None) -> None:
        self.registry = CollectorRegistry()
        self._watch = watch
        self._sums = Sums()
        self.registry.register(self._sums)
        if watch is not None:
            self.registry.register(watch)
        self._up = Gauge("vacancy_part_up", "Whether a worker's page could be read.", ("part",), registry=self.registry)
        self.requests = Counter(
            "vacancy_http_requests", "HTTP requests answered.", ("method", "route", "status"), registry=self.registry
        )
        self.seconds = Histogram(
            "vacancy_http_request_seconds", "Time to answer.", ("route",), buckets=_BUCKETS, registry=self.registry
        )
        self.refused_keys = Counter(
            "vacancy_http_unauthorized", "Requests without a valid API key.", registry=self.registry
        )

    def middleware(self) -> Middleware:
        @web.middleware
        async def measure(request: web.Request, handler: Handler) -> web.StreamResponse:
            started = time.perf_counter()
            answer = await handler(request)
            resource = request.match_info.route.resource
            route = resource.canonical if resource is not None else "none"
            method = request.method if request.method in hdrs.METH_ALL else "other"
            self.requests.labels(method, route, str(answer.status)).inc()
            self.seconds.labels(route).observe(time.perf_counter() - started)
            if answer.status == 401:
                self.refused_keys.inc()
            return answer

        return measure

    async def page(self, http: ClientSession, workers: dict[str, str]) -> bytes:
        """Everything as Prometheus text; the samples of a worker carry its name in the label `part`, but for those that
        are summed.
        """
        looked = asyncio.create_task(self._watch.refresh()) if self._watch is not None else None
        texts = await asyncio.gather(*(_fetch(http, url) for url in workers.values()))
        if looked is not None:
            await looked
        pages = {part: list(_parsed(part, text)) for part, text in zip(workers, texts, strict=True)}
        self._up.clear()
        for part, families in pages.items():
            self._up.labels(part).set(bool(families))
            self._sums.take(part, families)
        merged = CollectorRegistry()
        merged.register(_Merged(self.registry, pages))
        return generate_latest(merged)


class _Merged(Collector):
    def __init__(self, own: CollectorRegistry, workers: dict[str, list[Metric]]) -> None:
        self._own = own
        self._workers = workers

    def collect(self) -> Iterator[Metric]:
        families = {family.name: family for family in self._own.collect()}
        for part, page in self._workers.items():
            for family in page:
                if is_summed(family):
                    continue
                into = families.setdefault(family.name, Metric(family.name, family.documentation, family.type))
                for sample in family.samples:
                    into.samples.append(sample._replace(labels={**sample.labels, "part": part}))
        yield from families.values()


def _parsed(part: str, text: str) -> Iterable[Metric]:
    try:
        return list(text_string_to_metric_families(text))
    except ValueError as error:
        logger.warning("the metrics of %s cannot be read: %s", part, error)
        return []


async def _fetch(http: ClientSession, url: str) -> str:
    """A worker's page; an empty one while it cannot be reached (its `up` is Prometheus's business)."""
    try:
        async with http.get(f"{url}/metrics", timeout=_TIMEOUT) as answer:
            return await answer.text() if answer.status == 200 else ""
    except (ClientError, TimeoutError, OSError):
        return ""
