"""What all models of bodies share: what is taken is strict, what is answered is frozen."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class Request(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class Answer(BaseModel):
    model_config = ConfigDict(frozen=True)
