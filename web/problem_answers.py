"""How the API documents a refusal; `web.problems` writes it."""

from __future__ import annotations

from web.answers import Answer


class ProblemField(Answer):
    field: str
    message: str


class ProblemOut(Answer):
    """RFC 9457."""

    type: str
    title: str
    status: int
    detail: str | None = None
    errors: list[ProblemField] | None = None
    correlation_id: str | None = None
