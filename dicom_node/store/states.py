"""How far an object got on its way, and what is known of it where it went."""

from enum import StrEnum


class DeliveryState(StrEnum):
    """How far one object got on its way to one destination."""

    PENDING = "pending"
    SENT = "sent"
    WARNING = "warning"
    FAILED = "failed"
    CANCELLED = "cancelled"


ARRIVED = (DeliveryState.SENT, DeliveryState.WARNING)


class ProofState(StrEnum):
    """What is known of an object that a destination answered with Success."""

    UNASKED = ""
    """It has not arrived, or nobody asks for proof."""
    WANTED = "wanted"
    PROVED = "proved"
    UNPROVEN = "unproven"
    """Not in time, or the destination holds something else."""
