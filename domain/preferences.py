"""Which channels a user wants to hear on. Who never said anything hears on all of them."""

from __future__ import annotations

import msgspec

from streams.events.notices import Channel, SetPreferences


class Preferences(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """A user's choice for each channel, and the language to write in (BCP 47); None is nobody's."""

    mail: bool = True
    sms: bool = True
    app: bool = True
    locale: str | None = None

    def wants(self, channel: Channel) -> bool:
        """Whether the user wants to hear on it."""
        return {"mail": self.mail, "sms": self.sms, "app": self.app}[channel]


EVERYTHING = Preferences()


def chosen(before: Preferences, asked: SetPreferences) -> Preferences:
    """The preferences after the message: what it leaves open stays."""
    return Preferences(
        mail=before.mail if asked.mail is None else asked.mail,
        sms=before.sms if asked.sms is None else asked.sms,
        app=before.app if asked.app is None else asked.app,
        locale=before.locale if asked.locale is None else asked.locale or None,
    )
