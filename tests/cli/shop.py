"""A customer of the sandbox provider, over HTTP."""

from __future__ import annotations

from typing import Any

from aiohttp.test_utils import TestClient
from aiohttp.web import Application, Request

Json = dict[str, Any]


class Shop:
    """Somebody who sends the sandbox requests over HTTP."""

    def __init__(self, http: TestClient[Request, Application]) -> None:
        self._http = http
        self._keys = 0

    async def post(self, path: str, body: object, key: str | None = None) -> tuple[int, Json]:
        self._keys += 1
        headers = {"Idempotency-Key": key or f"key-{self._keys}"}
        async with self._http.post(path, json=body, headers=headers) as response:
            return response.status, await response.json()

    async def raw(self, path: str, body: bytes, headers: dict[str, str]) -> tuple[int, Json]:
        async with self._http.post(path, data=body, headers=headers) as response:
            return response.status, await response.json()

    async def get(self, path: str) -> tuple[int, Json]:
        async with self._http.get(path) as response:
            return response.status, await response.json()

    async def authorize(self, token: str = "tok_visa", key: str | None = None, **more: object) -> tuple[int, Json]:
        body = {"reference": "pay-1", "amount": "100.00", "currency": "EUR", "token": token, **more}
        return await self.post("/v1/authorizations", body, key)

    async def authorized(self, token: str = "tok_visa") -> str:
        """The path of a payment that was just authorized."""
        status, body = await self.authorize(token)
        assert status == 201
        return f"/v1/payments/{body['id']}"

    async def captured(self) -> str:
        path = await self.authorized()
        assert (await self.post(f"{path}/capture", {}))[0] == 200
        return path

    async def kinds(self) -> list[str]:
        return [entry["kind"] for entry in (await self.get("/v1/ledger"))[1]["entries"]]
