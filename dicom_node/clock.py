"""The node's clock."""

from datetime import UTC, datetime


def now_utc() -> datetime:
    """The time of day, which somebody may set."""
    return datetime.now(UTC)
