"""Fields that documents show under names of their own, and whose values they are."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Annotated, Any

from pydantic import StringConstraints

from streams.codec import Undecodable
from streams.identity import user_id_of
from streams.wire.document import Body, optional_text, text

#: The ids and currencies of `streams.events`, for the models that describe the documents.
Id = Annotated[str, StringConstraints(min_length=1, max_length=100, pattern=r"^[^\x00-\x1f\x7f]+$")]
Currency = Annotated[str, StringConstraints(pattern=r"^[A-Z]{3}$")]


def shown(event: object, fields: Mapping[str, str]) -> Body:
    """What a document shows of an event: its name of a field -> the event's own. Money is a number (C18)."""
    return {name: plain(getattr(event, own)) for name, own in fields.items()}


def given(body: Body, fields: Mapping[str, str]) -> Body:
    """The way back: what a message gives of these fields, under the event's own names."""
    return {own: body[name] for name, own in fields.items() if body.get(name) is not None}


def plain(value: Any) -> Any:
    """A value as JSON has it."""
    return float(value) if isinstance(value, Decimal) else value


def clear(personal: Mapping[str, Any], fields: Mapping[str, str]) -> Body:
    """What a document shows of a person; null once erased."""
    found = {name: personal.get(own) for name, own in fields.items()}
    return {name: value if isinstance(value, str) else None for name, value in found.items()}


def user_of(body: Body, field: str, email: str) -> str:
    """The user's id, or of one without the id that follows from the e-mail. Raises Undecodable: there is neither."""
    found = optional_text(body, field)
    if found is None and not body.get(email):
        raise Undecodable(f"{field}: missing, and there is no {email} that it would follow from")
    return found if found is not None else user_id_of(text(body, email))
