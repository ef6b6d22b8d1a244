"""The page that a mail's unsubscribe link opens. It needs no key, shows nothing of the user, and only a POST changes
anything: mail programs send one by themselves (RFC 8058), and those that look at links in advance only read.
"""

from __future__ import annotations

import base64
import hashlib
from html import escape

from aiohttp import web

from streams.events.notices import SetPreferences
from web.context import context_of
from web.operations import Operation
from web.preferences import choose

_STYLE = (
    "body{max-width:32rem;margin:4rem auto;padding:0 1rem;font:1.1rem/1.5 system-ui,sans-serif}"
    "button{font:inherit;padding:.5rem 1rem}"
)
_STYLE_HASH = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()
_HEADERS = {
    "Content-Security-Policy": (
        f"default-src 'none'; style-src 'sha256-{_STYLE_HASH}'; form-action 'self'; base-uri 'none'; "
        "frame-ancestors 'none'"
    ),
    # The address is the key.
    "Referrer-Policy": "no-referrer",
    "X-Robots-Tag": "noindex",
}


async def unsubscribe_page(request: web.Request) -> web.Response:
    if _user_of(request) is None:
        return _unknown()
    token = request.match_info["token"]
    return _page("Mail from us", "Do you want no more mail from us?", ("Stop the mail", token))


async def unsubscribe(request: web.Request) -> web.Response:
    """Ends the user's mail, and answers once the row says so. Asked again, it answers the same."""
    user_id, token = _user_of(request), request.match_info["token"]
    if user_id is None:
        return _unknown()
    await choose(request, SetPreferences(user_id=user_id, mail=False))
    text = "You get no more mail from us. What you would have got is shown in the app, unless you declined that."
    return _page("You are unsubscribed", text, ("I want mail again", f"{token}/resubscribe"))


async def resubscribe(request: web.Request) -> web.Response:
    """Undoes it."""
    user_id, token = _user_of(request), request.match_info["token"]
    if user_id is None:
        return _unknown()
    await choose(request, SetPreferences(user_id=user_id, mail=True))
    return _page("You get our mail again", "You can change your mind at any time.", ("Stop the mail", f"../{token}"))


def _user_of(request: web.Request) -> str | None:
    return context_of(request).links.user_of(request.match_info["token"])


def _unknown() -> web.Response:
    text = "This link is not one of ours, or it is not whole. Please open it from the mail once more."
    return _page("Unknown link", text, status=404)


def _page(title: str, text: str, button: tuple[str, str] | None = None, status: int = 200) -> web.Response:
    """A page with one button at most: what it says, and where it posts to, from the page's own address."""
    form = ""
    if button is not None:
        said, action = (escape(each, quote=True) for each in button)
        form = f'<form method="post" action="{action}"><button>{said}</button></form>'
    page = (
        '<!doctype html><html lang="en"><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f"<title>{escape(title)}</title><style>{_STYLE}</style>"
        f"<h1>{escape(title)}</h1><p>{escape(text)}</p>{form}</html>"
    )
    return web.Response(status=status, text=page, content_type="text/html", charset="utf-8", headers=_HEADERS)


_PAGE = {200: "text/html", 404: "text/html"}
OPERATIONS = (
    Operation(
        "GET",
        "/unsubscribe/{token}",
        unsubscribe_page,
        "The page behind the unsubscribe link of a mail",
        "notifications",
        _PAGE,
        open=True,
    ),
    Operation(
        "POST",
        "/unsubscribe/{token}",
        unsubscribe,
        "End a user's mail with one click (RFC 8058)",
        "notifications",
        _PAGE,
        problems=(503,),
        open=True,
    ),
    Operation(
        "POST",
        "/unsubscribe/{token}/resubscribe",
        resubscribe,
        "Send a user mail again",
        "notifications",
        _PAGE,
        problems=(503,),
        open=True,
    ),
)
