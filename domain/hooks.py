"""What the webhook service decides of endpoints: added once, changed, given a new secret, paused, removed for good.

What becomes of deliveries is in `domain.hook_deliveries`.
"""

from __future__ import annotations

from datetime import datetime, timedelta

import msgspec

from domain.decision import Decision
from streams.events import Event
from streams.events.hooks import (
    AddEndpoint,
    ChangeEndpoint,
    EndpointKnown,
    EndpointPaused,
    Format,
    PauseReason,
    Reception,
    RemoveEndpoint,
    RotateSecret,
)

#: For so long after a rotation the secret before it signs, too.
OVERLAP = timedelta(hours=24)
#: Secrets that may sign beside the newest. With so many none is made until the first of them has done.
MOST_OLD_SECRETS = 5
#: Rotations remembered, so that a late retry makes no secret.
_REMEMBERED = 20
#: For so long a removed endpoint is remembered, so that a late retry does not make it again.
REMEMBERED_FOR = timedelta(days=1)
#: An endpoint is paused after so many failed attempts in a row, if the first of them is so long ago.
MOST_FAILURES = 25
PATIENCE = timedelta(days=1)
#: What the service itself tells is sent to nobody: it would tell of its own telling. Nor is what the platform tells of
#: itself, which is for who operates it.
_OWN = ("webhook.", "platform.")


class OldSecret(msgspec.Struct, frozen=True):
    """A secret that was replaced, sealed, and until when it signs."""

    secret: str
    until: datetime


class Endpoint(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """Where somebody wants news sent. A removed one is kept for a while without what it held, so that a late retry does
    not add it again.
    """

    endpoint_id: str
    url: str = ""
    types: tuple[str, ...] = ()
    format: Format = "standard"
    #: Sealed under the endpoint's own key.
    secret: str = ""
    #: Those before, which sign beside it for a while, the newest first.
    old_secrets: tuple[OldSecret, ...] = ()
    #: The requests that made secrets, the last ones.
    rotations: tuple[str, ...] = ()
    description: str = ""
    property_id: str | None = None
    fingerprint: str = ""
    reception: Reception = "ENABLED"
    #: Why it is PAUSED or DISABLED.
    reason: str | None = None
    #: Failed attempts since the last one that was taken, and the first of them.
    failures: int = 0
    failing_since: datetime | None = None
    #: What was not delivered since then is to be sent anew.
    redeliver_since: datetime | None = None
    #: Events it wanted that no delivery was made of, because too many were held; and when the first of them came.
    missed: int = 0
    missed_since: datetime | None = None
    created_at: datetime
    updated_at: datetime
    #: Since when it wants what it wants now.
    wants_since: datetime

    @property
    def listens(self) -> bool:
        """Whether deliveries are made for it: those of a paused one are held."""
        return self.reception in ("ENABLED", "PAUSED")

    def secrets(self, now: datetime) -> tuple[str, ...]:
        """What signs now, the newest first."""
        return (self.secret, *(each.secret for each in self.overlapping(now)))

    def overlapping(self, now: datetime) -> tuple[OldSecret, ...]:
        """The replaced secrets that still sign."""
        return tuple(each for each in self.old_secrets if now < each.until)


def decide(endpoint: Endpoint | None, message: Event, now: datetime) -> Decision[Endpoint | None]:
    """The endpoint after `message`, and what the intakes are to know of it. `now` is the record's time. Total."""
    match endpoint, message:
        case None, AddEndpoint():
            return _known(_added(message, now))
        case Endpoint(reception="REMOVED"), _:
            return Decision(endpoint)
        case Endpoint(), ChangeEndpoint():
            return _change(endpoint, message, now)
        case Endpoint(), RotateSecret():
            return Decision(_rotated(endpoint, message, now))
        case Endpoint(), RemoveEndpoint():
            return _known(_removed(endpoint, now))
        case _:
            return Decision(endpoint)


def _added(asked: AddEndpoint, now: datetime) -> Endpoint:
    fields = {name: getattr(asked, name) for name in AddEndpoint.__struct_fields__}
    return Endpoint(**fields, created_at=now, updated_at=now, wants_since=now)


def _change(endpoint: Endpoint, asked: ChangeEndpoint, now: datetime) -> Decision[Endpoint | None]:
    named = {name: getattr(asked, name) for name in ("url", "types", "description")}
    after = msgspec.structs.replace(endpoint, **{name: each for name, each in named.items() if each is not None})
    if asked.enabled is True and after.reception != "ENABLED":
        after = msgspec.structs.replace(after, reception="ENABLED", reason=None, failures=0, failing_since=None)
    elif asked.enabled is False and after.reception != "DISABLED":
        after = _off(after, "DISABLED", "by_request")
    if asked.redeliver_since is not None and after.reception == "ENABLED":
        after = msgspec.structs.replace(after, redeliver_since=asked.redeliver_since)
    if after == endpoint:
        return Decision(endpoint)
    after = msgspec.structs.replace(after, updated_at=now)
    if (after.types, after.listens) == (endpoint.types, endpoint.listens):
        return _known(after) if after.reception != endpoint.reception else Decision(after)
    return _known(msgspec.structs.replace(after, wants_since=now))


def _off(endpoint: Endpoint, reception: Reception, reason: str) -> Endpoint:
    """Sent nothing any more; what was to be sent anew is not, until that is asked for again."""
    return msgspec.structs.replace(endpoint, reception=reception, reason=reason, redeliver_since=None)


def _rotated(endpoint: Endpoint, asked: RotateSecret, now: datetime) -> Endpoint:
    """With a new secret. No secret ends before its time: where too many sign, it stays as it is."""
    overlapping = endpoint.overlapping(now)
    if asked.request_id in endpoint.rotations or len(overlapping) >= MOST_OLD_SECRETS:
        return endpoint
    return msgspec.structs.replace(
        endpoint,
        secret=asked.secret,
        old_secrets=(OldSecret(endpoint.secret, now + OVERLAP), *overlapping),
        rotations=(*endpoint.rotations, asked.request_id)[-_REMEMBERED:],
        updated_at=now,
    )


def _removed(endpoint: Endpoint, now: datetime) -> Endpoint:
    return Endpoint(
        endpoint_id=endpoint.endpoint_id,
        fingerprint=endpoint.fingerprint,
        reception="REMOVED",
        created_at=endpoint.created_at,
        updated_at=now,
        wants_since=now,
    )


def _known(endpoint: Endpoint) -> Decision[Endpoint | None]:
    return Decision(endpoint, (known(endpoint),))


def known(endpoint: Endpoint) -> EndpointKnown:
    """What those who read the news are to know of an endpoint."""
    return EndpointKnown(
        endpoint_id=endpoint.endpoint_id,
        types=endpoint.types,
        format=endpoint.format,
        property_id=endpoint.property_id,
        reception=endpoint.reception,
    )


def taken(endpoint: Endpoint) -> Endpoint:
    """The endpoint after it took a delivery."""
    if not endpoint.failures:
        return endpoint
    return msgspec.structs.replace(endpoint, failures=0, failing_since=None)


def failed(endpoint: Endpoint, *, gone: bool, now: datetime) -> Decision[Endpoint]:
    """The endpoint after a failed attempt: disabled where it says that it is gone, paused once it failed too long."""
    since = endpoint.failing_since or now
    after = msgspec.structs.replace(endpoint, failures=endpoint.failures + 1, failing_since=since)
    if endpoint.reception != "ENABLED":
        return Decision(after)
    if gone:
        after = msgspec.structs.replace(_off(after, "DISABLED", "gone"), updated_at=now, wants_since=now)
        return Decision(after, (known(after),))
    if after.failures < MOST_FAILURES or now - since < PATIENCE:
        return Decision(after)
    return paused(after, "failing", now)


def paused(endpoint: Endpoint, reason: PauseReason, now: datetime) -> Decision[Endpoint]:
    """The endpoint that gets nothing until somebody enables it, and what is said of it."""
    after = msgspec.structs.replace(_off(endpoint, "PAUSED", reason), updated_at=now)
    told = EndpointPaused(
        endpoint_id=after.endpoint_id,
        failures=after.failures,
        failing_since=after.failing_since,
        paused_at=now,
        reason=reason,
    )
    return Decision(after, (known(after), told))


def missed(endpoint: Endpoint, now: datetime) -> Endpoint:
    """The endpoint after an event that there was no room for. One that comes twice may be counted twice."""
    since = endpoint.missed_since or now
    return msgspec.structs.replace(endpoint, missed=endpoint.missed + 1, missed_since=since)


def may_be_dropped(endpoint: Endpoint, now: datetime) -> bool:
    """Whether a removed endpoint, of which nothing is left, need not be remembered any more."""
    return endpoint.reception == "REMOVED" and now - endpoint.updated_at > REMEMBERED_FOR


def wants(endpoint: EndpointKnown, news: str, property_id: str | None) -> bool:
    """Whether an endpoint is to get news of a canonical type, about a property if about any."""
    if endpoint.reception not in ("ENABLED", "PAUSED") or news.startswith(_OWN):
        return False
    if endpoint.property_id is not None and endpoint.property_id != property_id:
        return False
    return any(covers(pattern, news) for pattern in endpoint.types)


def covers(pattern: str, news: str) -> bool:
    """Whether a pattern means a canonical type: its own name, "prefix.*" or "*"."""
    return news == pattern or (pattern.endswith("*") and news.startswith(pattern[:-1]))
