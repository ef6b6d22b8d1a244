"""New code takes over after a clean stop; after an unclean one the old version drains first (design 5.11).

What was decided and said but not remembered is decided again: by other code it might be decided otherwise, and said
twice.
"""

from __future__ import annotations

from importlib.metadata import version

from cli import instance
from cli.drain import undecided
from cli.problem import Misuse
from config.settings import Settings
from streams.layout import load_layout


async def check_version(settings: Settings) -> None:
    """Raises Misuse where another version stopped uncleanly and left records it may have begun to decide."""
    before, now = instance.version_of(settings.data), version("vacancy")
    if settings.allow_undrained or before in (None, now) or not stopped_uncleanly(settings):
        return
    if left := await undecided(settings.bootstrap, load_layout(settings)):
        raise Misuse(
            f"version {before} did not end in order here, and {sum(left.values())} records of its inboxes are not "
            f"decided: start version {before} again, run `vacancy drain --data {settings.data}`, stop it, then start "
            f"{now}; or give --set allow_undrained=true"
        )


def stopped_uncleanly(settings: Settings) -> bool:
    """Whether any worker of this directory never came to its end."""
    return any((settings.data / "state").glob("*/*.running"))
