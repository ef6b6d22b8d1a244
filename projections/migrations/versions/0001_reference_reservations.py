"""The tables of reference, reservations."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from projections.columns import Amount, Instant

revision = "0001"
down_revision = None


def upgrade() -> None:
    op.create_table(
        "watermarks",
        sa.Column("topic", sa.Text(), nullable=False),
        sa.Column("partition", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("next", sa.BigInteger(), nullable=False),
        sa.Column("decided", sa.BigInteger(), nullable=False),
        sa.Column("known_through", sa.BigInteger(), nullable=False),
        sa.Column("whole_from", sa.BigInteger(), nullable=False),
        sa.Column("as_of", Instant(), nullable=True),
        sa.PrimaryKeyConstraint("topic", "partition"),
        schema="reference",
    )
    op.create_table(
        "origin",
        sa.Column("cluster_id", sa.Text(), nullable=False),
        sa.Column("namespace", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("cluster_id"),
        schema="reference",
    )
    op.create_table(
        "units",
        sa.Column("property_id", sa.Text(), nullable=False),
        sa.Column("unit_type", sa.Text(), nullable=False),
        sa.Column("resource", sa.Text(), nullable=False),
        sa.Column("slots", sa.Text(), nullable=False),
        sa.Column("time_zone", sa.Text(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("capacity", sa.BigInteger(), nullable=False),
        sa.Column("overbooking_limit", sa.BigInteger(), nullable=False),
        sa.Column("min_stay", sa.BigInteger(), nullable=False),
        sa.Column("waiting", sa.BigInteger(), nullable=False),
        sa.Column("base_price", Amount(), nullable=False),
        sa.Column("row_key", sa.Text(), nullable=False),
        sa.Column("partition", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("item", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("source", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("row_key", "partition", "item"),
        schema="reference",
    )
    op.create_index("units_by_property_id", "units", ["property_id"], unique=False, schema="reference")
    op.create_index("units_by_resource", "units", ["resource"], unique=False, schema="reference")
    op.create_table(
        "users",
        sa.Column("user_id", sa.Text(), nullable=False),
        sa.Column("revision", sa.BigInteger(), nullable=False),
        sa.Column("created_at", Instant(), nullable=False),
        sa.Column("updated_at", Instant(), nullable=False),
        sa.Column("row_key", sa.Text(), nullable=False),
        sa.Column("partition", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("item", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("source", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("row_key", "partition", "item"),
        schema="reference",
    )
    op.create_index("users_by_user_id", "users", ["user_id"], unique=False, schema="reference")
    op.create_table(
        "bookings",
        sa.Column("booking_id", sa.Text(), nullable=False),
        sa.Column("confirmation_number", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("user_id", sa.Text(), nullable=False),
        sa.Column("property_id", sa.Text(), nullable=False),
        sa.Column("unit_type", sa.Text(), nullable=False),
        sa.Column("time_zone", sa.Text(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("payment_id", sa.Text(), nullable=False),
        sa.Column("rate_plan", sa.Text(), nullable=True),
        sa.Column("quantity", sa.BigInteger(), nullable=False),
        sa.Column("revision", sa.BigInteger(), nullable=False),
        sa.Column("price", Amount(), nullable=False),
        sa.Column("captured", Amount(), nullable=False),
        sa.Column("refunded", Amount(), nullable=False),
        sa.Column("balance", Amount(), nullable=False),
        sa.Column("deposit", Amount(), nullable=True),
        sa.Column("cancellation_fee", Amount(), nullable=True),
        sa.Column("cancellation_refund", Amount(), nullable=True),
        sa.Column("check_in", sa.Date(), nullable=True),
        sa.Column("check_out", sa.Date(), nullable=True),
        sa.Column("first_day", sa.Date(), nullable=False),
        sa.Column("day_after", sa.Date(), nullable=False),
        sa.Column("starts_at", Instant(), nullable=False),
        sa.Column("ends_at", Instant(), nullable=False),
        sa.Column("created_at", Instant(), nullable=False),
        sa.Column("updated_at", Instant(), nullable=False),
        sa.Column("confirmed_at", Instant(), nullable=True),
        sa.Column("cancelled_at", Instant(), nullable=True),
        sa.Column("row_key", sa.Text(), nullable=False),
        sa.Column("partition", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("item", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("source", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("row_key", "partition", "item"),
        schema="reservations",
    )
    op.create_index("bookings_by_booking_id", "bookings", ["booking_id"], unique=False, schema="reservations")
    op.create_index(
        "bookings_by_confirmation_number", "bookings", ["confirmation_number"], unique=False, schema="reservations"
    )
    op.create_index(
        "bookings_by_created_at_booking_id",
        "bookings",
        ["created_at", "booking_id"],
        unique=False,
        schema="reservations",
    )
    op.create_index(
        "bookings_by_property_id_starts_at",
        "bookings",
        ["property_id", "starts_at"],
        unique=False,
        schema="reservations",
    )
    op.create_index("bookings_by_status", "bookings", ["status"], unique=False, schema="reservations")
    op.create_index("bookings_by_user_id", "bookings", ["user_id"], unique=False, schema="reservations")
    op.create_table(
        "lines",
        sa.Column("booking_id", sa.Text(), nullable=False),
        sa.Column("property_id", sa.Text(), nullable=False),
        sa.Column("unit_type", sa.Text(), nullable=False),
        sa.Column("line", sa.BigInteger(), nullable=False),
        sa.Column("quantity", sa.BigInteger(), nullable=False),
        sa.Column("price", Amount(), nullable=False),
        sa.Column("starts_at", Instant(), nullable=False),
        sa.Column("ends_at", Instant(), nullable=False),
        sa.Column("row_key", sa.Text(), nullable=False),
        sa.Column("partition", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("item", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("source", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("row_key", "partition", "item"),
        schema="reservations",
    )
    op.create_index("lines_by_booking_id", "lines", ["booking_id"], unique=False, schema="reservations")
    op.create_index(
        "lines_by_property_id_unit_type", "lines", ["property_id", "unit_type"], unique=False, schema="reservations"
    )
    op.create_table(
        "history",
        sa.Column("booking_id", sa.Text(), nullable=False),
        sa.Column("event_type", sa.Text(), nullable=False),
        sa.Column("event_id", sa.Text(), nullable=False),
        sa.Column("causation_id", sa.Text(), nullable=True),
        sa.Column("source_name", sa.Text(), nullable=False),
        sa.Column("at", Instant(), nullable=False),
        sa.Column("row_key", sa.Text(), nullable=False),
        sa.Column("partition", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("item", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("source", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("row_key", "partition", "item"),
        schema="reservations",
    )
    op.create_index("history_by_booking_id", "history", ["booking_id"], unique=False, schema="reservations")
