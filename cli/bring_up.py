"""Brings an instance up, part after part, keeps its file true, and takes it down again.

Which parts there are and what each is told stands here; their order is that of the steps in `run`.
"""

from __future__ import annotations

import asyncio
import contextlib
import sys
import time
from collections.abc import Awaitable, Callable, Iterator

from aiokafka.errors import KafkaError

from cli import instance
from cli.brokers import embedded, names_of, nodes_for, standing
from cli.instance import Instance
from cli.keeper import Keeper
from cli.notice import Notice
from cli.parts import Broker, Program, command
from cli.post import HTTP_PORT, SMTP_PORT
from cli.problem import Misuse, Problem
from cli.space import full, in_mib, space_of
from cli.supervisor import Supervisor
from cli.upgrade import check_version
from config.directories import private
from config.secrets import Secrets
from config.settings import Settings
from projections.database import url_of
from streams import ports
from streams.admin import TopicsError, apply_topics
from streams.broker import BrokerFailed, cluster_id
from streams.child import Child, spawn
from streams.java import JavaMissing
from streams.kafka_files import KafkaMissing
from streams.layout import load_layout
from streams.profile import weakens

#: The sandbox's ledger, the workers' rows; beside Kafka's data.
_DIRECTORIES = ("provider", "state")
#: Whoever takes requests ends first and the log last, so that what is under way can still be written down.
_ORDER = (
    ("gateway", 1.5),
    (("worker", "projector", "projections"), 2.5),
    (("provider", "inbox"), 0.7),
    ("broker", 9.0),
)
_WITHIN = 9.2
_DEMO_WITHIN = 1.0
_ANSWER_PATIENCE = 15.0
_BROKER_PATIENCE = 30.0


class BringUp:
    """One run of an instance, from its first part to its last. Misuse at once where the disk is too full for one."""

    def __init__(self, settings: Settings, demo: float | None) -> None:
        self._settings = settings.model_copy(update={"data": settings.data.resolve()})
        self._rate = demo
        with plainly():
            check_space(settings)
            brokers = names_of(nodes_for(settings)) if settings.broker is None else []
            for name in (*brokers, *_DIRECTORIES):
                private(settings.data / name)
            self._secrets = Secrets.of(settings)
        # With as much again as a worker ends below: else it would end once more with the first rows it writes.
        self._supervisor = Supervisor(self._changed, say, lambda part: full(self._settings, part, times=2))
        self._notice = Notice(instance.FILE_NAME, self._write, say)
        self._announced = self._ended = False
        self._demo: Child | None = None
        self._held: list[ports.Held] = []

    async def run(self) -> None:
        """Until cancelled. Raises Problem when it cannot be brought up."""
        began = time.monotonic()
        with plainly():
            log = await self._find_log()
            await self._prepare_log()
            self._start_programs(log)
            await self._supervisor.all_ready()
        self._announce(time.monotonic() - began)
        if self._rate is not None:
            await self._run_demo(self._rate)
        await asyncio.Event().wait()

    async def failure(self) -> None:
        """Never returns; raises Problem when a part was given up."""
        with plainly():
            await self._supervisor.failure()

    async def stop(self) -> None:
        """Ends everything within ten seconds."""
        began = time.monotonic()
        await self._supervisor.let_go()
        if self._demo is not None:
            await self._demo.stop(_DEMO_WITHIN)
        await self._supervisor.stop(_ORDER, _WITHIN - (time.monotonic() - began))
        for port in self._held:
            port.release()
        self._ended = True
        if self._announced:
            self._notice.end()

    def kill(self) -> None:
        """Cuts a stop short: every process ends now."""
        if self._demo is not None:
            self._demo.kill()
        self._supervisor.kill()

    async def _find_log(self) -> list[Keeper]:
        """Knows the brokers afterwards; the keepers of those without which nothing else can start."""
        if self._settings.broker is None and (found := await standing(self._settings.data)):
            self._tell(broker=found)
        if self._settings.broker is not None:
            return []
        say("starting Kafka")
        cluster = embedded(self._settings)
        keepers = [self._supervisor.start(Broker(broker)) for broker in cluster.brokers]
        for keeper in keepers:
            await keeper.ready.wait()
        self._tell(broker=f"kafka://{cluster.bootstrap}")
        # Of several one may be away for long: whoever starts then finds the others.
        return keepers if len(keepers) == 1 else []

    async def _prepare_log(self) -> None:
        bootstrap = self._settings.bootstrap
        if weakens(self._settings, load_layout(self._settings)):
            say("WARNING: the document's own producer profile is in force: an acknowledged event may be lost (P7)")
        cluster = await _reachable(bootstrap)
        await check_version(self._settings)
        instance.claim_cluster(self._settings, cluster)
        say(f"Kafka is at {bootstrap}; applying topics")
        await _persistently(lambda: apply_topics(bootstrap, self._settings))

    def _start_programs(self, needs: list[Keeper]) -> None:
        data = str(self._settings.data)
        self._tell(public_url=self._settings.public_url or self._url)
        programs = [("gateway", ["gateway", "--data", data])]
        if self._settings.provider_url is None:
            port = self._hold("provider")
            self._tell(provider_url=f"http://127.0.0.1:{port}")
            programs.insert(0, ("provider", ["provider", "--data", data, "--port", str(port)]))
        if self._settings.smtp_url is None or self._settings.sms_url is None:
            given = ["--port", str(self._hold(HTTP_PORT)), "--smtp-port", str(self._hold(SMTP_PORT))]
            programs.insert(0, ("inbox", ["inbox", "--data", data, *given]))
        for slot in range(1, self._settings.workers + 1):
            for half, services in (("worker", "decisions"), ("projector", "projections")):
                programs.append((f"{half}-{slot}", ["worker", services, "--data", data, "--slot", str(slot)]))
        if url_of(self._settings) is not None:
            programs.append(("projections", ["projections", "run", "--data", data]))
        say(f"starting {', '.join(name for name, _ in programs)}")
        environment = self._settings.environment_of()
        for name, arguments in programs:
            program = Program(name, arguments, self._settings.data, environment)
            self._supervisor.start(program, () if name in ("provider", "inbox") else needs)

    def _hold(self, name: str) -> int:
        """The port of an inner part, which nobody else takes while we live; it is noted for whoever looks for it."""
        self._held.append(ports.choose(self._settings.data / "run" / "ports.json", name))
        return self._held[-1].port

    def _announce(self, seconds: float) -> None:
        self._announced = True
        self._changed()
        say(f"everything is ready after {seconds:.1f} s; {self._settings.data / instance.FILE_NAME} has the key")
        print(f"ready {self._url}", flush=True)

    async def _run_demo(self, rate: float) -> None:
        """Traffic on the terminal until it ends by itself; the instance stays up."""
        arguments = ["demo", "--rate", f"{rate:g}", "--data", str(self._settings.data)]
        self._demo = spawn(command(*arguments), log=None, environment=self._settings.environment_of())
        if code := await self._demo.exited():
            say(f"the demo ended with exit code {code}; the instance stays up")

    @property
    def _url(self) -> str:
        anywhere = self._settings.host in ("0.0.0.0", "::", "")
        return f"http://{'127.0.0.1' if anywhere else self._settings.host}:{self._settings.port}"

    def _instance(self, pids: dict[str, int]) -> Instance:
        return Instance(
            url=self._url,
            api_key=self._secrets.api_key,
            bootstrap_servers=self._settings.bootstrap,
            layout=self._settings.layout,
            pids=pids,
        )

    def _write(self) -> None:
        self._instance({} if self._ended else self._supervisor.pids).write(self._settings.data)

    def _changed(self) -> None:
        if self._announced:
            self._notice.renew()

    def _tell(self, **known: object) -> None:
        """What was found out on the way, for all parts started from now on."""
        self._settings = self._settings.model_copy(update=known)


@contextlib.contextmanager
def plainly() -> Iterator[None]:
    """What stops an instance from starting, as a line for the user."""
    try:
        yield
    except OSError as error:
        raise Problem(str(error)) from None
    except (BrokerFailed, JavaMissing, KafkaMissing) as error:
        raise Problem(str(error)) from None


def check_space(settings: Settings) -> None:
    """Raises Misuse when the disk has less left than `min_free_mb`: Kafka ends on a full one."""
    space = space_of(settings)
    if not space.enough:
        raise Misuse(f"only {in_mib(space.free)} free, and min_free_mb asks for {in_mib(space.least)}: {space.advice}")


def say(line: str) -> None:
    """A line of progress on stderr; stdout is for what programs read."""
    # It may be a file on a full disk, or a terminal that was closed.
    with contextlib.suppress(OSError):
        print(f"vacancy: {line}", file=sys.stderr, flush=True)


async def _persistently(work: Callable[[], Awaitable[None]]) -> None:
    """Does it again while the broker stumbles: one that was killed just now is back in a few seconds."""
    end = time.monotonic() + _BROKER_PATIENCE
    while True:
        try:
            return await work()
        except TopicsError as error:
            raise Problem(str(error)) from None
        except (KafkaError, OSError, TimeoutError) as error:
            if time.monotonic() > end:
                raise Problem(f"the topics could not be applied: {type(error).__name__}: {error}") from None
        await asyncio.sleep(0.5)


async def _reachable(bootstrap: str) -> str:
    """The id of the cluster there, which gets a while to answer."""
    end = time.monotonic() + _ANSWER_PATIENCE
    while (cluster := await cluster_id(bootstrap)) is None:
        if time.monotonic() > end:
            raise Problem(f"no Kafka answers at {bootstrap}: check --broker, or leave it out for the embedded one")
        await asyncio.sleep(0.3)
    return cluster
