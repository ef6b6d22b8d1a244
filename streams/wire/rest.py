"""What a document has no place for: carried beside it in one header, in the canonical words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import orjson

from streams.codec import Undecodable
from streams.signing import REST_HEADER


def rest_header(rest: Mapping[str, Any]) -> tuple[tuple[str, bytes], ...]:
    """The header for what is left; none if nothing is."""
    return ((REST_HEADER, orjson.dumps(rest)),) if rest else ()


def rest_of(headers: Sequence[tuple[str, bytes]]) -> dict[str, Any]:
    """What a message carries beside its document. Raises Undecodable."""
    for name, value in headers:
        if name == REST_HEADER and value is not None:
            try:
                found = orjson.loads(value)
            except orjson.JSONDecodeError as error:
                raise Undecodable(f"{REST_HEADER}: not JSON: {error}") from None
            if not isinstance(found, dict):
                raise Undecodable(f"{REST_HEADER}: not an object")
            return found
    return {}
