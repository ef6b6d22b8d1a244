"""Who somebody is that gave no id: whoever books with us or by another program is the same user (design 3)."""

from __future__ import annotations

import uuid

#: The ids of guests who have none follow from their e-mail, under this namespace, for ever.
_USERS = uuid.uuid5(uuid.NAMESPACE_URL, "vacancy:users")


def user_id_of(email: str) -> str:
    """The id of a guest who has none."""
    return str(uuid.uuid5(_USERS, email.lower()))


def webhook_owner(endpoint_id: str) -> str:
    """Under whose key the secrets of a webhook endpoint are sealed: its own, as if it were a user."""
    return f"webhook:{endpoint_id}"
