"""What becomes of the bytes on a connection that is lent: C-STORE requests are served, all else is left."""

from collections.abc import Callable
from typing import final

from dicom_node.receiver.express import Express
from dicom_node.receiver.framing import P_DATA_TF, Malformed, Pdu
from dicom_node.receiver.wire import Wire


@final
class Lane:
    """Reads an association's wire and serves what is plain. Used by one thread at a time, whichever it is."""

    def __init__(self, wire: Wire, express: Express, heard: Callable[[], None]) -> None:
        """`heard` is called whenever the peer has said something."""
        self._wire = wire
        self._express = express
        self._heard = heard
        self._unsent = b""

    @property
    def descriptor(self) -> int:
        """What becomes readable when there is something to serve."""
        return self._wire.descriptor

    def serve(self) -> bool:
        """Take in what is there and serve it, without waiting for the peer.

        False: the association's own thread has to go on, be it that what came is not for us, that the end has
        come, that an object is long, or that the peer does not take our answer; it calls `finish` first.
        """
        received = self._wire.fill_now()
        if received is None:
            return True
        if not received:
            return False
        self._heard()
        while (pdu := self._wire.pdu()) is not None:
            if not self._took(pdu) or not self._answered():
                return False
        self._wire.hurry_peer()
        return True

    def take(self, pdu: Pdu) -> bool:
        """Take this PDU, the next on the wire; False if it is not for us.

        Raises:
            Malformed: the association cannot go on; the PDU stays where it is.
        """
        if pdu.kind != P_DATA_TF:
            return False
        with self._wire.view(pdu) as view:
            taken = self._express.take(view)
        if taken:
            self._wire.skip(pdu)
        return taken

    def finish(self) -> None:
        """Send what is left of an answer, and answer what is due, however long that takes."""
        if self._express.due:
            self._unsent = self._express.answer()
        if self._unsent:
            self._wire.send(self._unsent)
            self._unsent = b""
            self._express.sent()

    def _took(self, pdu: Pdu) -> bool:
        try:
            return self.take(pdu)
        except Malformed:
            return False

    def _answered(self) -> bool:
        """Answer what is due, if anything; False if that takes long, or the peer does not take it."""
        if not self._express.due:
            return True
        if self._express.takes_long:
            return False
        self._unsent = self._wire.send_now(self._express.answer())
        if self._unsent:
            return False
        self._express.sent()
        return True
