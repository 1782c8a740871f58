"""A job and the moves it may make. No clock, no database."""

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from dicom_node.errors import IllegalMove


class State(StrEnum):
    """Where a study is on its way through the node."""

    RECEIVING = "receiving"
    READY = "ready"
    RUNNING = "running"
    DELIVERING = "delivering"
    DELIVERED = "delivered"
    """Every object was answered with Success; proof is outstanding, or nobody asks for it."""
    COMMITTED = "committed"
    """Proved wherever proof is asked for."""
    UNCONFIRMED = "unconfirmed"
    """Delivered, and not proved in time, or lost since: a person should look."""
    REJECTED = "rejected"
    FAILED = "failed"


MOVES: dict[State, frozenset[State]] = {
    State.RECEIVING: frozenset({State.READY, State.REJECTED, State.RECEIVING}),
    State.READY: frozenset({State.RUNNING, State.RECEIVING}),
    # straight to DELIVERED where no destination is configured
    State.RUNNING: frozenset(
        {State.DELIVERING, State.DELIVERED, State.READY, State.REJECTED, State.FAILED, State.RECEIVING}
    ),
    State.DELIVERING: frozenset({State.DELIVERED, State.FAILED, State.RECEIVING}),
    State.DELIVERED: frozenset({State.COMMITTED, State.UNCONFIRMED, State.DELIVERING, State.RECEIVING}),
    State.COMMITTED: frozenset({State.UNCONFIRMED, State.DELIVERING, State.RECEIVING}),
    State.UNCONFIRMED: frozenset({State.COMMITTED, State.DELIVERED, State.DELIVERING, State.RECEIVING}),
    State.REJECTED: frozenset({State.READY, State.RECEIVING}),
    State.FAILED: frozenset({State.READY, State.DELIVERING, State.RECEIVING}),
}


@dataclass(frozen=True, slots=True)
class Job:
    """One study's place in the queue.

    `generation` counts the batches of images that opened, extended or reopened the study; `attempts` the
    runs of this generation. A run may only be settled by whoever claimed this very (generation, attempts)
    pair. While RECEIVING, `changed_at` is when the last image was filed. `alarm` is why nothing of the study
    may go out until an operator tries it again; empty if nothing speaks against it.
    """

    id: int
    study_instance_uid: str
    state: State
    changed_at: datetime
    generation: int = 0
    attempts: int = 0
    reason: str = ""
    alarm: str = ""

    def moved(self, to: State, at: datetime, reason: str = "") -> "Job":
        """This job in its next state.

        Raises:
            IllegalMove: `MOVES` does not lead there.
        """
        if to not in MOVES[self.state]:
            raise IllegalMove(f"{self.state} does not lead to {to}")
        attempts = self.attempts + (to is State.RUNNING)
        return replace(self, state=to, changed_at=at, attempts=attempts, reason=reason)
