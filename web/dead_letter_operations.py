"""Where dead letters are on the public interface, and what its documentation says of them."""

from __future__ import annotations

from typing import get_args

from aiohttp.typedefs import Handler

from streams.dead_letters import Class
from streams.letters import STATUSES
from web.dead_letter_models import (
    MOST,
    ActedOut,
    Action,
    BulkRequest,
    CopyOut,
    EditRequest,
    LettersOut,
    WholeLetterOut,
)
from web.dead_letters import (
    drop_letter,
    drop_letters,
    edit_letter,
    get_letter,
    list_letters,
    replay_letter,
    replay_letters,
)
from web.operations import Operation, Parameter
from web.paging import limited

_LETTERS = "/api/dead-letters"
_LETTER = _LETTERS + "/{topic}/{offset}"
_TEXT, _TIME = {"type": "string"}, {"type": "string", "format": "date-time"}
_PARAMETERS = (
    Parameter("topic", "Of this topic, named without `.dlq`.", _TEXT),
    Parameter("class", "Of this class.", {"type": "string", "enum": list(get_args(Class))}),
    Parameter("reason", "Whose reason has this in it.", _TEXT),
    Parameter("group", "That this consumer group failed at.", _TEXT),
    Parameter("key", "Under this key.", _TEXT),
    Parameter("since", "Buried then or later.", _TIME),
    Parameter("until", "Buried before.", _TIME),
    Parameter("status", "How they stand.", {"type": "string", "enum": [*STATUSES, "all"], "default": "open"}),
    limited(50, 200),
    Parameter("after", "The `next` of an earlier answer.", _TEXT),
)


def _acting(path: str, handler: Handler, summary: str, asked: type[Action]) -> Operation:
    """A POST that acts on letters; of one letter it needs no body."""
    one = asked is Action
    problems = (404, 409, 503) if one else (503,)
    return Operation(
        "POST",
        path,
        handler,
        summary,
        "dead letters",
        {200: ActedOut},
        request=asked,
        request_required=not one,
        problems=problems,
    )


OPERATIONS = (
    Operation(
        "GET",
        _LETTERS,
        list_letters,
        "Dead letters by topic and place, and how many there are",
        "dead letters",
        {200: LettersOut},
        parameters=_PARAMETERS,
        problems=(422, 503),
    ),
    Operation(
        "GET", _LETTER, get_letter, "A dead letter whole", "dead letters", {200: WholeLetterOut}, problems=(404, 503)
    ),
    _acting(_LETTERS + "/replay", replay_letters, f"Replay up to {MOST} letters, or say which would be", BulkRequest),
    _acting(_LETTERS + "/drop", drop_letters, f"Drop up to {MOST} letters, or say which would be", BulkRequest),
    _acting(_LETTER + "/replay", replay_letter, "Give a letter to the group that failed at it, once more", Action),
    _acting(_LETTER + "/drop", drop_letter, "Say that nothing will become of a letter", Action),
    Operation(
        "POST",
        _LETTER + "/edit",
        edit_letter,
        "Make an edited copy of a letter, to be replayed",
        "dead letters",
        {201: CopyOut},
        request=EditRequest,
        problems=(404, 409, 503),
    ),
)
