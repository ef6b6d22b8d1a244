"""Who is asking: API keys, compared in constant time. There is one key and one principal in this version."""

from __future__ import annotations

import hashlib
import hmac
import uuid
from collections.abc import Mapping
from dataclasses import dataclass

from aiohttp import web
from aiohttp.typedefs import Middleware

from web.problems import Handler, Problem


@dataclass(frozen=True, slots=True)
class Principal:
    """`id` is the namespace of the ids that come from this caller's Idempotency-Keys."""

    name: str
    id: uuid.UUID


PRINCIPAL = web.RequestKey("principal", Principal)


def operator_of(instance_id: str) -> Principal:
    """The operator of an instance; the same one for every gateway and every key it ever has."""
    return Principal("operator", uuid.uuid5(uuid.NAMESPACE_URL, f"vacancy:{instance_id}:operator"))


class Keys:
    """The API keys that are accepted. Only their digests are kept."""

    def __init__(self, keys: Mapping[str, Principal]) -> None:
        self._keys = [(_digest(key), principal) for key, principal in keys.items()]

    def principal_of(self, key: str) -> Principal | None:
        given = _digest(key)
        found = None
        for digest, principal in self._keys:  # all of them, so that time tells nothing
            if hmac.compare_digest(digest, given):
                found = principal
        return found


def _digest(key: str) -> bytes:
    return hashlib.sha256(key.encode("utf-8", "surrogateescape")).digest()


def presented(request: web.Request) -> str | None:
    """The key a request carries, from `Authorization: Bearer` or `X-API-Key`."""
    scheme, _, key = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        return key.strip()
    return request.headers.get("X-API-Key")


def authenticate(keys: Keys, open_paths: frozenset[str]) -> Middleware:
    """A middleware that lets `open_paths` (as routes name them) pass and asks everyone else for a key."""

    @web.middleware
    async def checked(request: web.Request, handler: Handler) -> web.StreamResponse:
        resource = request.match_info.route.resource
        if resource is None or resource.canonical not in open_paths:
            key = presented(request)
            principal = keys.principal_of(key) if key else None
            if principal is None:
                raise _refused(key)
            request[PRINCIPAL] = principal
        return await handler(request)

    return checked


def _refused(key: str | None) -> Problem:
    detail = "This API key is not known." if key else "Send the API key as `Authorization: Bearer KEY` or `X-API-Key`."
    return Problem(401, "unauthorized", "Unauthorized", detail, headers={"WWW-Authenticate": "Bearer"})
