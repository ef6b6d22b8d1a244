"""Every table of the projections. What a row of a changelog becomes in them is said in the modules of the services.

Nothing personal stands here: a guest, a user or the words of a notice are sealed in the rows, and left out.
"""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Integer, Table, Text

from projections.columns import METADATA, Instant, table

#: The schemas on PostgreSQL, one for each service with tables and one that all share (HTL-13).
SCHEMAS = ("reference", "reservations", "availability", "rates", "payments", "analytics", "notifications")

#: How far each changelog is in the tables: `next` is the offset to go on at, `decided` the inbox offset that its last
#: position names, `known_through` the same as of when its end was last reached: every row decided up to there was seen.
#: `whole_from` is the offset from which on the tables are complete, `as_of` the time they show.
WATERMARKS = Table(
    "watermarks",
    METADATA,
    Column("topic", Text(), primary_key=True),
    Column("partition", Integer(), primary_key=True, autoincrement=False),
    Column("next", BigInteger(), nullable=False),
    Column("decided", BigInteger(), nullable=False),
    Column("known_through", BigInteger(), nullable=False),
    Column("whole_from", BigInteger(), nullable=False),
    Column("as_of", Instant(), nullable=True),
    schema="reference",
)
#: One row: the Kafka cluster whose log the tables show, and the namespace in it.
ORIGIN = Table(
    "origin",
    METADATA,
    Column("cluster_id", Text(), primary_key=True),
    Column("namespace", Text(), nullable=False),
    schema="reference",
)
UNITS = table(
    "reference",
    "units",
    text="property_id unit_type resource slots time_zone currency",
    integer="capacity overbooking_limit min_stay waiting",
    amount="base_price",
    indexes=("resource", "property_id"),
)
USERS = table(
    "reference", "users", text="user_id", integer="revision", instant="created_at updated_at", indexes=("user_id",)
)

BOOKINGS = table(
    "reservations",
    "bookings",
    text="booking_id confirmation_number kind status reason? user_id property_id unit_type time_zone currency "
    "payment_id rate_plan?",
    integer="quantity revision",
    amount="price captured refunded balance deposit? cancellation_fee? cancellation_refund?",
    day="check_in? check_out? first_day day_after",
    instant="starts_at ends_at created_at updated_at confirmed_at? cancelled_at?",
    indexes=(
        "booking_id",
        "created_at booking_id",
        "confirmation_number",
        "user_id",
        "status",
        "property_id starts_at",
    ),
)
LINES = table(
    "reservations",
    "lines",
    text="booking_id property_id unit_type",
    integer="line quantity",
    amount="price",
    instant="starts_at ends_at",
    indexes=("booking_id", "property_id unit_type"),
)
HISTORY = table(
    "reservations",
    "history",
    text="booking_id event_type event_id causation_id? source_name",
    instant="at",
    indexes=("booking_id",),
)

NIGHTS = table(
    "availability",
    "nights",
    text="resource property_id unit_type slot",
    integer="held confirmed",
    day="night?",
    indexes=("resource slot", "property_id night"),
)
NIGHT_RULES = table(
    "availability",
    "night_rules",
    text="resource property_id unit_type slot",
    integer="min_stay? max_stay? min_advance_days? max_advance_days? overbooking_limit?",
    boolean="stop_sell closed_to_arrival closed_to_departure",
    indexes=("resource slot",),
)
BLOCKS = table(
    "availability",
    "blocks",
    text="property_id unit_type block_id reason",
    integer="units",
    boolean="released",
    day="from_date to_date",
    instant="release_at?",
    indexes=("property_id from_date",),
)
#: What each block takes of each night.
BLOCKED = table(
    "availability",
    "blocked_nights",
    text="resource slot block_id",
    integer="units",
    instant="release_at?",
    indexes=("resource slot",),
)
WAITLIST = table(
    "availability",
    "waitlist",
    text="entry_id property_id unit_type user_id status reason? time_zone",
    integer="quantity",
    instant="starts_at ends_at joined_at until offer_until? ended_at?",
    indexes=("entry_id", "property_id status"),
)

PLANS = table(
    "rates",
    "plans",
    text="property_id unit_type rate_plan name? currency rules",
    boolean="withdrawn",
    amount="base_price?",
    indexes=("property_id unit_type",),
)
PRICES = table(
    "rates",
    "price_changes",
    text="property_id unit_type rate_plan? currency rules?",
    amount="base_price?",
    instant="at",
    indexes=("property_id unit_type at",),
)
USAGE = table(
    "rates",
    "usage",
    text="property_id unit_type last_currency",
    integer="bookings units",
    amount="last_price",
    instant="last_booked_at?",
    indexes=("property_id unit_type",),
)
#: The same by plan; "" is the base price.
USAGE_BY_PLAN = table("rates", "usage_by_plan", text="property_id unit_type rate_plan", integer="bookings units")
#: And its revenue, by plan and currency.
REVENUE = table("rates", "revenue_by_plan", text="property_id unit_type rate_plan currency", amount="revenue")
BOOKED_AT = table(
    "rates",
    "booked_prices",
    text="property_id unit_type booking_id currency",
    integer="units",
    amount="price",
    instant="applied_at",
    indexes=("booking_id",),
)

PAYMENTS = table(
    "payments",
    "payments",
    text="payment_id booking_id status user_id currency provider provider_payment_id? method? brand? last4? "
    "settlement_id? void_reason? error?",
    integer="revision",
    amount="amount captured refunded",
    instant="created_at? updated_at",
    indexes=("payment_id", "booking_id", "status", "created_at payment_id"),
)
REFUNDS = table(
    "payments",
    "refunds",
    text="refund_id payment_id booking_id status reason? error? currency provider_refund_id?",
    amount="amount",
    indexes=("payment_id", "booking_id"),
)
RECEIPTS = table(
    "payments",
    "receipts",
    text="receipt_id number payment_id booking_id user_id currency",
    amount="amount",
    instant="paid_at requested_at generated_at?",
    indexes=("payment_id", "booking_id", "number"),
)

#: The figures of a property on a day lie in several partitions: the views `daily` and `daily_amounts` have their sums.
DAILY = table(
    "analytics",
    "daily_parts",
    text="property_id",
    integer="bookings confirmed cancelled withdrawn rejected expired no_shows leads lead_days booked_nights",
    day="day",
    indexes=("property_id day",),
)
DAILY_AMOUNTS = table(
    "analytics",
    "daily_amount_parts",
    text="property_id currency",
    integer="nights",
    amount="rooms other booked captured refunded",
    day="day",
    indexes=("property_id day",),
)
EVENT_COUNTS = table("analytics", "event_count_parts", text="event_type", integer="count", day="day", indexes=("day",))

NOTIFICATIONS = table(
    "notifications",
    "notifications",
    text="notice_id user_id channel template booking_id? news cause_id status error?",
    instant="created_at sent_at?",
    indexes=("notice_id", "user_id created_at", "booking_id"),
)
