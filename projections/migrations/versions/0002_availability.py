"""The tables of availability."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from projections.columns import Instant

revision = "0002"
down_revision = "0001"


_CALENDAR = """
CREATE VIEW {availability}availability_calendar AS
SELECT n.property_id, n.unit_type, n.slot, n.night, u.capacity,
       COALESCE((SELECT SUM(b.units) FROM {availability}blocked_nights b
                 WHERE b.resource = n.resource AND b.slot = n.slot
                   AND (b.release_at IS NULL OR b.release_at > {now})), 0) AS blocked,
       COALESCE(r.overbooking_limit, u.overbooking_limit) AS overbooking_limit,
       n.held, n.confirmed
FROM {availability}nights n
LEFT JOIN {reference}units u ON u.resource = n.resource
LEFT JOIN {availability}night_rules r ON r.resource = n.resource AND r.slot = n.slot
"""


def upgrade() -> None:
    op.create_table(
        "nights",
        sa.Column("resource", sa.Text(), nullable=False),
        sa.Column("property_id", sa.Text(), nullable=False),
        sa.Column("unit_type", sa.Text(), nullable=False),
        sa.Column("slot", sa.Text(), nullable=False),
        sa.Column("held", sa.BigInteger(), nullable=False),
        sa.Column("confirmed", sa.BigInteger(), nullable=False),
        sa.Column("night", sa.Date(), nullable=True),
        sa.Column("row_key", sa.Text(), nullable=False),
        sa.Column("partition", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("item", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("source", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("row_key", "partition", "item"),
        schema="availability",
    )
    op.create_index(
        "nights_by_property_id_night", "nights", ["property_id", "night"], unique=False, schema="availability"
    )
    op.create_index("nights_by_resource_slot", "nights", ["resource", "slot"], unique=False, schema="availability")
    op.create_table(
        "night_rules",
        sa.Column("resource", sa.Text(), nullable=False),
        sa.Column("property_id", sa.Text(), nullable=False),
        sa.Column("unit_type", sa.Text(), nullable=False),
        sa.Column("slot", sa.Text(), nullable=False),
        sa.Column("min_stay", sa.BigInteger(), nullable=True),
        sa.Column("max_stay", sa.BigInteger(), nullable=True),
        sa.Column("min_advance_days", sa.BigInteger(), nullable=True),
        sa.Column("max_advance_days", sa.BigInteger(), nullable=True),
        sa.Column("overbooking_limit", sa.BigInteger(), nullable=True),
        sa.Column("stop_sell", sa.Boolean(), nullable=False),
        sa.Column("closed_to_arrival", sa.Boolean(), nullable=False),
        sa.Column("closed_to_departure", sa.Boolean(), nullable=False),
        sa.Column("row_key", sa.Text(), nullable=False),
        sa.Column("partition", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("item", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("source", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("row_key", "partition", "item"),
        schema="availability",
    )
    op.create_index(
        "night_rules_by_resource_slot", "night_rules", ["resource", "slot"], unique=False, schema="availability"
    )
    op.create_table(
        "blocks",
        sa.Column("property_id", sa.Text(), nullable=False),
        sa.Column("unit_type", sa.Text(), nullable=False),
        sa.Column("block_id", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("units", sa.BigInteger(), nullable=False),
        sa.Column("released", sa.Boolean(), nullable=False),
        sa.Column("from_date", sa.Date(), nullable=False),
        sa.Column("to_date", sa.Date(), nullable=False),
        sa.Column("release_at", Instant(), nullable=True),
        sa.Column("row_key", sa.Text(), nullable=False),
        sa.Column("partition", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("item", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("source", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("row_key", "partition", "item"),
        schema="availability",
    )
    op.create_index(
        "blocks_by_property_id_from_date", "blocks", ["property_id", "from_date"], unique=False, schema="availability"
    )
    op.create_table(
        "blocked_nights",
        sa.Column("resource", sa.Text(), nullable=False),
        sa.Column("slot", sa.Text(), nullable=False),
        sa.Column("block_id", sa.Text(), nullable=False),
        sa.Column("units", sa.BigInteger(), nullable=False),
        sa.Column("release_at", Instant(), nullable=True),
        sa.Column("row_key", sa.Text(), nullable=False),
        sa.Column("partition", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("item", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("source", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("row_key", "partition", "item"),
        schema="availability",
    )
    op.create_index(
        "blocked_nights_by_resource_slot", "blocked_nights", ["resource", "slot"], unique=False, schema="availability"
    )
    op.create_table(
        "waitlist",
        sa.Column("entry_id", sa.Text(), nullable=False),
        sa.Column("property_id", sa.Text(), nullable=False),
        sa.Column("unit_type", sa.Text(), nullable=False),
        sa.Column("user_id", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("time_zone", sa.Text(), nullable=False),
        sa.Column("quantity", sa.BigInteger(), nullable=False),
        sa.Column("starts_at", Instant(), nullable=False),
        sa.Column("ends_at", Instant(), nullable=False),
        sa.Column("joined_at", Instant(), nullable=False),
        sa.Column("until", Instant(), nullable=False),
        sa.Column("offer_until", Instant(), nullable=True),
        sa.Column("ended_at", Instant(), nullable=True),
        sa.Column("row_key", sa.Text(), nullable=False),
        sa.Column("partition", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("item", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("source", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("row_key", "partition", "item"),
        schema="availability",
    )
    op.create_index("waitlist_by_entry_id", "waitlist", ["entry_id"], unique=False, schema="availability")
    op.create_index(
        "waitlist_by_property_id_status", "waitlist", ["property_id", "status"], unique=False, schema="availability"
    )
    on_sqlite = op.get_context().dialect.name == "sqlite"
    schemas = {name: "" if on_sqlite else f"{name}." for name in ("availability", "reference")}
    now = "strftime('%Y-%m-%dT%H:%M:%fZ')" if on_sqlite else "now()"
    op.execute(_CALENDAR.format(**schemas, now=now))
