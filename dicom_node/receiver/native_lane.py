"""The plainest C-STORE requests are served without the interpreter; what is left is told here.

The native part (`native/`) is not there where it could not be built: `express` then does its work, as it does
for whatever is not plain. Neither decides anything that the other would decide otherwise.
"""

import math
import os
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Final, final

from dicom_node.archive import Archive, Kept
from dicom_node.archive.layout import study_folder
from dicom_node.archive.part10 import around
from dicom_node.conformance import OUT_OF_RESOURCES, Action, action_of
from dicom_node.receiver.session import Session, Sessions
from dicom_node.receiver.settling import Settling
from dicom_node.receiver.storing import OUR_MODEL_NAME, Storing
from dicom_node.receiver.wire import Wire

try:
    from dicom_node.receiver import _native
except ImportError:  # not built here
    _native = None  # type: ignore[assignment]

_LONGEST_BYTES: Final = 1 << 20
"""Longer messages are left to those who count what all associations hold."""
_LONGEST_ANSWER_BYTES: Final = 1024
_PAUSE_MS: Final = 50
"""What is stored is told to the node as often as that."""
_IN_DOUBT: Final = "archive cannot be written: the name may not be durable"


@dataclass(frozen=True, slots=True)
class Site:
    """What all lanes have in common."""

    archive: Archive
    sessions: Sessions
    storing: Storing
    max_object_bytes: int
    reserve_bytes: int
    settling: Settling | None


def native_lane(site: Site, session: Session, wire: Wire) -> "NativeLane | None":
    """A lane for this association's connection; None where none is built, or the connection is not plain."""
    return NativeLane(site, session, wire) if _native is not None and wire.is_plain else None


@final
class NativeLane:
    """Serves one association's plain requests on the thread that waits for them."""

    def __init__(self, site: Site, session: Session, wire: Wire) -> None:
        self._site = site
        self._session = session
        self._wire = wire
        self._lane: _native.Lane | None = None
        self._fits = True
        self._left = False
        self._followed = ""
        self._sending = False
        self.on_heard: Callable[[], None] = lambda: None

    @property
    def serving(self) -> bool:
        """Whether it is the peer that waits for us."""
        return self._sending or (self._lane is not None and self._lane.storing)

    def can_serve(self) -> bool:
        """Whether the association is one for us, and the study that is expected is in the archive.

        Expected is that of its last object, or before its first that of the last object of all. And not while
        something of what was left is there: to leave it again, it would be copied with every byte that comes.
        """
        if self._left and self._wire.holds:
            return False
        expected = self._session.study or self._site.storing.latest_study
        if self._site.sessions.stopping or not expected or not self._fits:
            return False
        if self._lane is None:
            self._lane = self._made()
            self._fits = self._lane is not None
        return self._fits and self._follow(expected)

    def serve(self, patience_s: float) -> bool:
        """Serve what comes. False: somebody rang, or the peer was silent for so long.

        True: it needs the association's own thread; what has come of it is back on the wire.
        """
        lane = self._lane
        assert lane is not None
        rest = self._wire.take_rest()
        self._left = bool(rest) and not lane.put(rest)
        if self._left:
            self._wire.put_back(rest)
            return True
        try:
            return self._serve(lane, min(1e6, math.ceil(1000 * patience_s)))
        finally:
            if left := lane.rest():
                self._wire.put_back(left)
            self._site.sessions.answer_sent(self._session)

    def _serve(self, lane: "_native.Lane", patience_ms: float) -> bool:
        while True:
            why, heard, records = lane.serve(int(patience_ms), _PAUSE_MS)
            if heard:
                self.on_heard()
            for record in records:
                self._tell(*record)
            if why == _native.UNSENT:
                self._send(lane)
            elif why == _native.RUNG:
                self._wire.silence()
                return False
            elif why != _native.PAUSE:
                self._left = why == _native.LEFT
                if self._left:
                    self._followed = ""  # perhaps for its folder's sake: it is opened again
                return why != _native.SILENT

    def _send(self, lane: "_native.Lane") -> None:
        self._sending = True
        self._wire.send(lane.unsent())
        self._sending = False

    def _tell(self, instance: str, name: str, digest: str, fate: int) -> None:
        storing, study = self._site.storing, self._followed
        if fate in (_native.DOUBTFUL, _native.UNFILED):
            storing.tell_postponed(study, instance)
        if fate == _native.DOUBTFUL:
            storing.tell_refused(self._session, instance, OUT_OF_RESOURCES, _IN_DOUBT)
            return
        self._session.stored += 1
        kept = Kept(f"{study_folder(study)}/{name}", digest, new=fate != _native.KNOWN)
        tell = partial(storing.tell_stored, self._session, study, instance, kept)
        if fate == _native.UNFILED and self._site.settling is not None:
            self._site.settling.when_filed(kept.path, tell)
        else:
            tell()

    def _follow(self, study: str) -> bool:
        if study == self._followed:
            return True
        folder = self._site.archive.landing(study)
        if folder is None or self._lane is None:
            self._fits = False
            return False
        try:
            self._lane.follow(study.encode("latin-1"), os.fsencode(folder), study_folder(study).encode())
        except OSError:  # retention has removed it: whoever makes it anew makes it durable
            return False
        self._followed = study
        return True

    def _made(self) -> "_native.Lane | None":
        """None if this caller's objects are spaced out, or its messages are shorter than our answers."""
        session, site = self._session, self._site
        caller = session.caller
        longest_answer = session.association.requestor.maximum_length or _LONGEST_ANSWER_BYTES
        if longest_answer < _LONGEST_ANSWER_BYTES or (caller is not None and caller.max_objects_per_s):
            return None
        own = caller.max_object_bytes if caller is not None else 0
        lane = _native.Lane(
            descriptor=self._wire.descriptor,
            bell=self._wire.bell_descriptor,
            longest_bytes=min(_LONGEST_BYTES, own or site.max_object_bytes),
            reserve_bytes=site.reserve_bytes,
            our_model=OUR_MODEL_NAME.encode(),
            journal=site.settling.journal if site.settling is not None else None,
        )
        for context in session.association.accepted_contexts:
            syntax, sop_class = context.transfer_syntax[0], str(context.abstract_syntax)
            if action_of(sop_class) is Action.ANALYSE and syntax.is_little_endian and not syntax.is_deflated:
                before, behind = around(sop_class, str(syntax), session.calling)
                lane.allow(context.context_id or 0, syntax.is_implicit_VR, sop_class.encode(), before, behind)
        session.stores_beside = lambda: self.serving
        return lane
