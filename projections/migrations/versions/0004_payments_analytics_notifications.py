"""The tables of payments, analytics, notifications."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from projections.columns import Amount, Instant

revision = "0004"
down_revision = "0003"


_COUNTS = "bookings confirmed cancelled withdrawn rejected expired no_shows leads lead_days booked_nights"
#: On SQLite amounts are texts, so that sums of them are binary numbers there.
_VIEWS = (
    ("daily", "property_id, day", _COUNTS.split(), "daily_parts"),
    (
        "daily_amounts",
        "property_id, day, currency",
        ["nights", "rooms", "other", "booked", "captured", "refunded"],
        "daily_amount_parts",
    ),
    ("event_counts", "day, event_type", ["count"], "event_count_parts"),
)


def upgrade() -> None:
    op.create_table(
        "payments",
        sa.Column("payment_id", sa.Text(), nullable=False),
        sa.Column("booking_id", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("user_id", sa.Text(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("provider", sa.Text(), nullable=False),
        sa.Column("provider_payment_id", sa.Text(), nullable=True),
        sa.Column("method", sa.Text(), nullable=True),
        sa.Column("brand", sa.Text(), nullable=True),
        sa.Column("last4", sa.Text(), nullable=True),
        sa.Column("settlement_id", sa.Text(), nullable=True),
        sa.Column("void_reason", sa.Text(), nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("revision", sa.BigInteger(), nullable=False),
        sa.Column("amount", Amount(), nullable=False),
        sa.Column("captured", Amount(), nullable=False),
        sa.Column("refunded", Amount(), nullable=False),
        sa.Column("created_at", Instant(), nullable=True),
        sa.Column("updated_at", Instant(), nullable=False),
        sa.Column("row_key", sa.Text(), nullable=False),
        sa.Column("partition", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("item", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("source", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("row_key", "partition", "item"),
        schema="payments",
    )
    op.create_index("payments_by_booking_id", "payments", ["booking_id"], unique=False, schema="payments")
    op.create_index(
        "payments_by_created_at_payment_id", "payments", ["created_at", "payment_id"], unique=False, schema="payments"
    )
    op.create_index("payments_by_payment_id", "payments", ["payment_id"], unique=False, schema="payments")
    op.create_index("payments_by_status", "payments", ["status"], unique=False, schema="payments")
    op.create_table(
        "refunds",
        sa.Column("refund_id", sa.Text(), nullable=False),
        sa.Column("payment_id", sa.Text(), nullable=False),
        sa.Column("booking_id", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("provider_refund_id", sa.Text(), nullable=True),
        sa.Column("amount", Amount(), nullable=False),
        sa.Column("row_key", sa.Text(), nullable=False),
        sa.Column("partition", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("item", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("source", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("row_key", "partition", "item"),
        schema="payments",
    )
    op.create_index("refunds_by_booking_id", "refunds", ["booking_id"], unique=False, schema="payments")
    op.create_index("refunds_by_payment_id", "refunds", ["payment_id"], unique=False, schema="payments")
    op.create_table(
        "receipts",
        sa.Column("receipt_id", sa.Text(), nullable=False),
        sa.Column("number", sa.Text(), nullable=False),
        sa.Column("payment_id", sa.Text(), nullable=False),
        sa.Column("booking_id", sa.Text(), nullable=False),
        sa.Column("user_id", sa.Text(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("amount", Amount(), nullable=False),
        sa.Column("paid_at", Instant(), nullable=False),
        sa.Column("requested_at", Instant(), nullable=False),
        sa.Column("generated_at", Instant(), nullable=True),
        sa.Column("row_key", sa.Text(), nullable=False),
        sa.Column("partition", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("item", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("source", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("row_key", "partition", "item"),
        schema="payments",
    )
    op.create_index("receipts_by_booking_id", "receipts", ["booking_id"], unique=False, schema="payments")
    op.create_index("receipts_by_number", "receipts", ["number"], unique=False, schema="payments")
    op.create_index("receipts_by_payment_id", "receipts", ["payment_id"], unique=False, schema="payments")
    op.create_table(
        "daily_parts",
        sa.Column("property_id", sa.Text(), nullable=False),
        sa.Column("bookings", sa.BigInteger(), nullable=False),
        sa.Column("confirmed", sa.BigInteger(), nullable=False),
        sa.Column("cancelled", sa.BigInteger(), nullable=False),
        sa.Column("withdrawn", sa.BigInteger(), nullable=False),
        sa.Column("rejected", sa.BigInteger(), nullable=False),
        sa.Column("expired", sa.BigInteger(), nullable=False),
        sa.Column("no_shows", sa.BigInteger(), nullable=False),
        sa.Column("leads", sa.BigInteger(), nullable=False),
        sa.Column("lead_days", sa.BigInteger(), nullable=False),
        sa.Column("booked_nights", sa.BigInteger(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("row_key", sa.Text(), nullable=False),
        sa.Column("partition", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("item", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("source", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("row_key", "partition", "item"),
        schema="analytics",
    )
    op.create_index(
        "daily_parts_by_property_id_day", "daily_parts", ["property_id", "day"], unique=False, schema="analytics"
    )
    op.create_table(
        "daily_amount_parts",
        sa.Column("property_id", sa.Text(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("nights", sa.BigInteger(), nullable=False),
        sa.Column("rooms", Amount(), nullable=False),
        sa.Column("other", Amount(), nullable=False),
        sa.Column("booked", Amount(), nullable=False),
        sa.Column("captured", Amount(), nullable=False),
        sa.Column("refunded", Amount(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("row_key", sa.Text(), nullable=False),
        sa.Column("partition", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("item", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("source", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("row_key", "partition", "item"),
        schema="analytics",
    )
    op.create_index(
        "daily_amount_parts_by_property_id_day",
        "daily_amount_parts",
        ["property_id", "day"],
        unique=False,
        schema="analytics",
    )
    op.create_table(
        "event_count_parts",
        sa.Column("event_type", sa.Text(), nullable=False),
        sa.Column("count", sa.BigInteger(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("row_key", sa.Text(), nullable=False),
        sa.Column("partition", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("item", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("source", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("row_key", "partition", "item"),
        schema="analytics",
    )
    op.create_index("event_count_parts_by_day", "event_count_parts", ["day"], unique=False, schema="analytics")
    op.create_table(
        "notifications",
        sa.Column("notice_id", sa.Text(), nullable=False),
        sa.Column("user_id", sa.Text(), nullable=False),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("template", sa.Text(), nullable=False),
        sa.Column("booking_id", sa.Text(), nullable=True),
        sa.Column("news", sa.Text(), nullable=False),
        sa.Column("cause_id", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("created_at", Instant(), nullable=False),
        sa.Column("sent_at", Instant(), nullable=True),
        sa.Column("row_key", sa.Text(), nullable=False),
        sa.Column("partition", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("item", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("source", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("row_key", "partition", "item"),
        schema="notifications",
    )
    op.create_index(
        "notifications_by_booking_id", "notifications", ["booking_id"], unique=False, schema="notifications"
    )
    op.create_index("notifications_by_notice_id", "notifications", ["notice_id"], unique=False, schema="notifications")
    op.create_index(
        "notifications_by_user_id_created_at",
        "notifications",
        ["user_id", "created_at"],
        unique=False,
        schema="notifications",
    )
    schema = "" if op.get_context().dialect.name == "sqlite" else "analytics."
    for view, by, summed, parts in _VIEWS:
        sums = ", ".join(f"SUM({name}) AS {name}" for name in summed)
        op.execute(f"CREATE VIEW {schema}{view} AS SELECT {by}, {sums} FROM {schema}{parts} GROUP BY {by}")
