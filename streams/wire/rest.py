"""What a document has no place for: carried beside it in one header, in the canonical words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
import orjson

from streams.codec import Undecodable
from streams.events import ENCODER
from streams.signing import REST_HEADER

#: An object whose fields are not read yet.
_OBJECTS = msgspec.json.Decoder(dict[str, msgspec.Raw])


def rest_header(rest: Mapping[str, Any]) -> tuple[tuple[str, bytes], ...]:
    """The header for what is left; none if nothing is."""
    return ((REST_HEADER, ENCODER.encode(rest)),) if rest else ()


def rest_text(headers: Sequence[tuple[str, bytes]]) -> bytes | None:
    """What a message carries beside its document, as a JSON object; None for nothing. Raises Undecodable."""
    for name, value in headers:
        if name == REST_HEADER and value is not None:
            try:
                _OBJECTS.decode(value)
            except msgspec.ValidationError:
                raise Undecodable(f"{REST_HEADER}: not an object") from None
            except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
                raise Undecodable(f"{REST_HEADER}: not JSON: {error}") from None
            return value.strip()
    return None


def rest_of(headers: Sequence[tuple[str, bytes]]) -> dict[str, Any]:
    """The same, read. Raises Undecodable."""
    text = rest_text(headers)
    try:
        found: dict[str, Any] = orjson.loads(text) if text is not None else {}
    except orjson.JSONDecodeError as error:
        raise Undecodable(f"{REST_HEADER}: not JSON: {error}") from None
    return found
