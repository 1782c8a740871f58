"""A requestor that waits for an answer and gets it: a race in pynetdicom 3.0.4 closed from outside.

An association's own thread takes messages off the same queue as whoever waits for an answer. Before a
request it is asked to pause, by an event it waits on and a flag it raises; but the flag is still up for a
moment after the event let it go. So of two requests in quick succession the second may find it up, and the
thread takes the answer away. The request then waits for its time-out, and the association is given up. With
a peer that answers at once that was one request in two thousand.
"""

import threading
from typing import final

from pynetdicom.association import Association


def pause_surely(association: Association) -> Association:
    """The association, whose flag is true from now on; call it before any request."""
    association._reactor_checkpoint = Pause(association)
    return association


@final
class Pause(threading.Event):
    """An event that lowers the flag itself, before `clear` can come between it and the thread it lets go.

    Like the library's own, every `set` lets the thread pass once, even if `clear` follows before it wakes.
    """

    def __init__(self, association: Association) -> None:
        super().__init__()
        self._association = association
        self._changed = threading.Condition()
        self._open = True
        self._passes = 0

    def is_set(self) -> bool:
        """Whether the thread may go on."""
        return self._open

    def set(self) -> None:
        """Let it go on."""
        with self._changed:
            self._open = True
            self._passes += 1
            self._changed.notify_all()

    def clear(self) -> None:
        """Have it wait; it does when the flag is up."""
        with self._changed:
            self._open = False

    def wait(self, timeout: float | None = None) -> bool:
        """Wait until it may go on."""
        with self._changed:
            before = self._passes
            let_go = self._changed.wait_for(lambda: self._open or self._passes > before, timeout)
            self._association._is_paused = False
            return let_go
