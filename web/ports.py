"""What the gateway and the views need of the rest, as protocols: tests cross every route with small fakes of these."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Protocol, TypeVar

from streams.events import Event
from streams.log import Appended

E_co = TypeVar("E_co", bound=Event, covariant=True)


class Appends(Protocol):
    """The log, as the outside writes to it (`streams.log.Log`)."""

    async def append(
        self,
        event: Event,
        *,
        source: str,
        correlation_id: str | None = None,
        metadata: Mapping[str, Any] | None = None,
    ) -> Appended: ...


class Follows(Protocol[E_co]):
    """The newest event under each key of a compacted topic (`streams.compacted.Compacted`)."""

    def get(self, key: str) -> E_co | None: ...

    def items(self) -> Iterator[tuple[str, E_co]]: ...

    async def until(self, key: str, predicate: Callable[[E_co], bool], timeout: float) -> E_co: ...  # noqa: ASYNC109


class Seals(Protocol):
    """Encrypts and decrypts personal data (`streams.keyring.Keyring`)."""

    async def seal(self, user_id: str, text: str) -> str: ...

    async def unseal(self, user_id: str, sealed: str) -> str | None: ...

    async def caught_up(self) -> None: ...

    async def forget(self, user_id: str) -> int: ...


class Counts(Protocol):
    """Gives numbers nobody else has (`streams.numbers.Numbers`)."""

    async def next(self) -> int: ...
