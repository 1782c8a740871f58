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

STORED: int
"""An object is in the archive, or in the journal and has its file."""
DOUBTFUL: int
"""It has its file, whose name may be gone after a power cut; it was refused (A700)."""
UNFILED: int
"""It is in the journal, and could not be given its file."""
KNOWN: int
"""It is in the journal, and its file was there before."""

@final
class Journal:
    """The segments of the archive's journal (archive/journal.py); any thread may use it."""

    def __new__(cls, bell: int, segment_bytes: int) -> Journal:
        """Write to the eventfd `bell` when the first entry of a segment comes, and when one can be settled.

        Raises:
            ValueError: segments of that size hold nothing.
        """

    @property
    def used(self) -> bool:
        """Whether there is any entry."""

    def add(self, descriptor: int, key: bytes, /) -> None:
        """One segment more; the descriptor stays open until `close`.

        Raises:
            ValueError: no key has that size.
        """

    def turn(self) -> None:
        """Begin another segment with the next entry, if the current one has any."""

    def full(self) -> list[tuple[int, bool]]:
        """The segments that get no further entries: number, and whether any file of it is not written."""

    def renew(self, segment: int, key: bytes, /) -> None:
        """All of its entries are safe elsewhere: it is used again, with this key.

        Raises:
            ValueError: it is not full.
        """

    def close(self) -> bool:
        """Take no further entries; whether nobody is at one, so that the descriptors can be closed."""

def sync_disk(descriptor: int, /) -> None:
    """syncfs(2), and a flush behind it: what is written on the disk of this folder is durable.

    Raises:
        OSError: some of it is not; which is not said.
    """

def vouches(descriptor: int, /) -> bool:
    """Whether the file system of this folder is one where `sync_disk` makes names and bytes durable.

    Raises:
        OSError: as the operating system says.
    """

@final
class Lane:
    """One association's. Used by one thread at a time, but for `storing`."""

    def __new__(
        cls,
        descriptor: int,
        bell: int,
        longest_bytes: int,
        reserve_bytes: int,
        our_model: bytes,
        journal: Journal | None = None,
    ) -> Lane:
        """Serve the socket `descriptor`, until `bell` becomes readable; neither is closed here.

        Messages of more than `longest_bytes` are left, and objects whose Manufacturer's Model Name is
        `our_model`, and all if less than `reserve_bytes` of the disk would stay free. With a `journal`, an
        object is durable there when it is answered, and gets its file then.

        Raises:
            TypeError: that is no journal.
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

    def follow(self, study: bytes, folder: bytes, home: bytes, /) -> None:
        """Take objects of this study alone, into this durable folder, which may hold nameless files.

        `home` is what the folder is called in the archive.

        It is kept open: one that is removed and made again is not the same, and takes no more objects.

        Raises:
            OSError: it cannot be opened.
            ValueError: `home` is longer than such names are.
        """

    def put(self, received: bytes, /) -> bool:
        """What was received before; False, and not taken, if there is something already or it is too long."""

    def serve(self, patience_ms: int, pause_ms: int, /) -> tuple[int, bool, list[tuple[str, str, str, int]]]:
        """Serve what comes until something else is to be done: what, and whether the peer was heard.

        Waits `patience_ms` for the first bytes, and goes on for `pause_ms` after them, or after the first
        object if it had come before. Each object is in the archive, and answered, or about to be with UNSENT:
        SOP Instance UID, name of the file, digest, and STORED, KNOWN, DOUBTFUL or UNFILED.

        Raises:
            ValueError: there is no study to follow.
        """

    def rest(self) -> bytes:
        """What has come and was not used; it is forgotten here."""

    def unsent(self) -> bytes:
        """What is left of an answer; it is forgotten here."""
