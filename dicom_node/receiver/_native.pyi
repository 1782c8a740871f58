"""The native part of the receiver: see native_lane.py, which alone uses it, and native/lane.c."""

from typing import final

PAUSE: int
"""Something was stored or is still coming, and it is time to say so."""
SILENT: int
"""The peer said nothing for as long as was waited."""
RUNG: int
"""The bell is readable."""
LEFT: int
"""What came is not for here, nothing has been done about it, and `rest` has it."""
ENDED: int
"""The peer has closed, or the connection is lost."""
UNSENT: int
"""The peer does not take its answer: `unsent` has what is left of it."""

@final
class Lane:
    """One association's. Used by one thread at a time, but for `storing`."""

    def __new__(
        cls, descriptor: int, bell: int, longest_bytes: int, reserve_bytes: int, our_model: bytes
    ) -> Lane:
        """Serve the socket `descriptor`, until `bell` becomes readable; neither is closed here.

        Messages of more than `longest_bytes` are left, and objects whose Manufacturer's Model Name is
        `our_model`, and all if less than `reserve_bytes` of the disk would stay free.

        Raises:
            ValueError: messages so long are not for here.
        """

    @property
    def storing(self) -> bool:
        """Whether an object is being stored, or its answer not taken or `unsent`. Any thread may ask."""

    def allow(
        self, context_id: int, implicit: bool, sop_class: bytes, before: bytes, behind: bytes, /
    ) -> None:
        """Take objects of `sop_class` in this presentation context, in Implicit or Explicit VR Little Endian.

        `before` and `behind` are the file meta's elements around the Media Storage SOP Instance UID.

        Raises:
            ValueError: it is allowed already, or the elements are longer than any that we write.
        """

    def follow(self, study: bytes, folder: bytes, /) -> None:
        """Take objects of this study alone, into this durable folder, which may hold nameless files.

        It is kept open: one that is removed and made again is not the same, and takes no more objects.

        Raises:
            OSError: it cannot be opened.
        """

    def put(self, received: bytes, /) -> bool:
        """What was received before; False, and not taken, if there is something already or it is too long."""

    def serve(self, patience_ms: int, pause_ms: int, /) -> tuple[int, bool, list[tuple[str, str, str, bool]]]:
        """Serve what comes until something else is to be done: what, and whether the peer was heard.

        Waits `patience_ms` for the first bytes, and goes on for `pause_ms` after them, or after the first
        object if it had come before. Each object is in the archive, and answered, or about to be with UNSENT:
        SOP Instance UID, name of the file, digest, and whether the name is in doubt, in which case it was
        refused (A700).

        Raises:
            ValueError: there is no study to follow.
        """

    def rest(self) -> bytes:
        """What has come and was not used; it is forgotten here."""

    def unsent(self) -> bytes:
        """What is left of an answer; it is forgotten here."""
