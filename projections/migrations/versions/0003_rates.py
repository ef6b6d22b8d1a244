"""The tables of rates."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from projections.columns import Amount, Instant

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.create_table(
        "plans",
        sa.Column("property_id", sa.Text(), nullable=False),
        sa.Column("unit_type", sa.Text(), nullable=False),
        sa.Column("rate_plan", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=True),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("rules", sa.Text(), nullable=False),
        sa.Column("withdrawn", sa.Boolean(), nullable=False),
        sa.Column("base_price", Amount(), nullable=True),
        sa.Column("row_key", sa.Text(), nullable=False),
        sa.Column("partition", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("item", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("source", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("row_key", "partition", "item"),
        schema="rates",
    )
    op.create_index(
        "plans_by_property_id_unit_type", "plans", ["property_id", "unit_type"], unique=False, schema="rates"
    )
    op.create_table(
        "price_changes",
        sa.Column("property_id", sa.Text(), nullable=False),
        sa.Column("unit_type", sa.Text(), nullable=False),
        sa.Column("rate_plan", sa.Text(), nullable=True),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("rules", sa.Text(), nullable=True),
        sa.Column("base_price", Amount(), nullable=True),
        sa.Column("at", Instant(), nullable=False),
        sa.Column("row_key", sa.Text(), nullable=False),
        sa.Column("partition", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("item", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("source", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("row_key", "partition", "item"),
        schema="rates",
    )
    op.create_index(
        "price_changes_by_property_id_unit_type_at",
        "price_changes",
        ["property_id", "unit_type", "at"],
        unique=False,
        schema="rates",
    )
    op.create_table(
        "usage",
        sa.Column("property_id", sa.Text(), nullable=False),
        sa.Column("unit_type", sa.Text(), nullable=False),
        sa.Column("last_currency", sa.Text(), nullable=False),
        sa.Column("bookings", sa.BigInteger(), nullable=False),
        sa.Column("units", sa.BigInteger(), nullable=False),
        sa.Column("last_price", Amount(), nullable=False),
        sa.Column("last_booked_at", Instant(), nullable=True),
        sa.Column("row_key", sa.Text(), nullable=False),
        sa.Column("partition", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("item", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("source", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("row_key", "partition", "item"),
        schema="rates",
    )
    op.create_index(
        "usage_by_property_id_unit_type", "usage", ["property_id", "unit_type"], unique=False, schema="rates"
    )
    op.create_table(
        "usage_by_plan",
        sa.Column("property_id", sa.Text(), nullable=False),
        sa.Column("unit_type", sa.Text(), nullable=False),
        sa.Column("rate_plan", sa.Text(), nullable=False),
        sa.Column("bookings", sa.BigInteger(), nullable=False),
        sa.Column("units", sa.BigInteger(), nullable=False),
        sa.Column("row_key", sa.Text(), nullable=False),
        sa.Column("partition", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("item", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("source", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("row_key", "partition", "item"),
        schema="rates",
    )
    op.create_table(
        "revenue_by_plan",
        sa.Column("property_id", sa.Text(), nullable=False),
        sa.Column("unit_type", sa.Text(), nullable=False),
        sa.Column("rate_plan", sa.Text(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("revenue", Amount(), nullable=False),
        sa.Column("row_key", sa.Text(), nullable=False),
        sa.Column("partition", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("item", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("source", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("row_key", "partition", "item"),
        schema="rates",
    )
    op.create_table(
        "booked_prices",
        sa.Column("property_id", sa.Text(), nullable=False),
        sa.Column("unit_type", sa.Text(), nullable=False),
        sa.Column("booking_id", sa.Text(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("units", sa.BigInteger(), nullable=False),
        sa.Column("price", Amount(), nullable=False),
        sa.Column("applied_at", Instant(), nullable=False),
        sa.Column("row_key", sa.Text(), nullable=False),
        sa.Column("partition", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("item", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("source", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("row_key", "partition", "item"),
        schema="rates",
    )
    op.create_index("booked_prices_by_booking_id", "booked_prices", ["booking_id"], unique=False, schema="rates")
