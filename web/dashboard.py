"""The dashboard: static files that speak to the public API like any other client. No state, no templates."""

from __future__ import annotations

from importlib import resources

from aiohttp import web

from web.operations import Operation

#: Scripts and styles from here only, so that nothing injected into the page runs.
PAGE_HEADERS = {
    "Content-Security-Policy": "default-src 'self'; img-src data:; base-uri 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-cache",
}


def _file(name: str, content_type: str) -> web.Response:
    text = resources.files("web").joinpath("static", name).read_text(encoding="utf-8")
    return web.Response(text=text, content_type=content_type, charset="utf-8", headers=PAGE_HEADERS)


async def dashboard(request: web.Request) -> web.Response:
    return _file("dashboard.html", "text/html")


async def dashboard_script(request: web.Request) -> web.Response:
    return _file("dashboard.js", "text/javascript")


async def inbox_script(request: web.Request) -> web.Response:
    return _file("inbox.js", "text/javascript")


async def dashboard_style(request: web.Request) -> web.Response:
    return _file("dashboard.css", "text/css")


OPERATIONS = (
    Operation("GET", "/", dashboard, "The dashboard", "dashboard", {200: "text/html"}, open=True),
    Operation(
        "GET", "/static/dashboard.js", dashboard_script, "Its script", "dashboard", {200: "text/javascript"}, open=True
    ),
    Operation("GET", "/static/inbox.js", inbox_script, "Its inbox", "dashboard", {200: "text/javascript"}, open=True),
    Operation("GET", "/static/dashboard.css", dashboard_style, "Its style", "dashboard", {200: "text/css"}, open=True),
)
