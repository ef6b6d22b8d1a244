"""What all models of bodies share: what is taken is strict, what is answered is frozen."""

from __future__ import annotations

from collections.abc import Mapping

from aiohttp import web
from pydantic import BaseModel, ConfigDict


class Request(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class Answer(BaseModel):
    model_config = ConfigDict(frozen=True)


def as_json(body: BaseModel, status: int = 200, headers: Mapping[str, str] | None = None) -> web.Response:
    """An answer with this body."""
    return web.Response(status=status, text=body.model_dump_json(), content_type="application/json", headers=headers)
