"""What has been negotiated is remembered: who proposes the same presentation contexts gets the same answer.

To decode and to compare what is proposed is most of what an association costs, and a sender proposes the same
each time. What comes of a list depends on its bytes alone, unless roles are selected as well (PS3.7 D.3.3.4).
So pynetdicom negotiates each list once, and all the rest of every request as ever.
"""

import threading
from typing import NamedTuple

from pynetdicom.acse import ACSE
from pynetdicom.association import Association
from pynetdicom.pdu import A_ASSOCIATE_AC
from pynetdicom.pdu_items import PresentationContextItemAC
from pynetdicom.pdu_primitives import A_ASSOCIATE
from pynetdicom.presentation import PresentationContext

from dicom_node.receiver.framing import Malformed
from dicom_node.receiver.proposal import proposal

_MOST_LISTS = 32
_LONGEST_LIST_BYTES = 1 << 14


class Outcome(NamedTuple):
    """The contexts that were accepted, and what answers all that were proposed in an A-ASSOCIATE-AC."""

    accepted: dict[int, PresentationContext]
    answers: bytes

    def copy(self) -> "Outcome":
        """The same, for an association of its own."""
        return Outcome({number: _copy(one) for number, one in self.accepted.items()}, self.answers)


class Outcomes:
    """What came of the latest lists, for all associations of a receiver."""

    def __init__(self) -> None:
        self._of: dict[bytes, Outcome] = {}
        self._lock = threading.Lock()

    def of(self, contexts: bytes) -> Outcome | None:
        """What came of these items, if it is known."""
        with self._lock:
            known = self._of.pop(contexts, None)
            if known is not None:
                self._of[contexts] = known  # what is asked for last is forgotten last
        return known.copy() if known is not None else None

    def keep(self, contexts: bytes, outcome: Outcome) -> None:
        """Remember it, and forget what was asked for longest ago."""
        with self._lock:
            self._of[contexts] = outcome.copy()
            if len(self._of) > _MOST_LISTS:
                del self._of[next(iter(self._of))]


class Negotiation(ACSE):
    """Pynetdicom's negotiation, which does not see the presentation contexts of which the outcome is known.

    They are taken out of the request before it is decoded, and of the answer before it is encoded. The
    association gets those that were accepted before, the peer the very bytes that answered the same list.
    """

    def __init__(self, association: Association, outcomes: Outcomes) -> None:
        super().__init__(association)
        self._outcomes = outcomes
        self._contexts: bytes | None = None
        self._known: Outcome | None = None

    def to_decode(self, request: bytes) -> bytes:
        """What is to be decoded of an A-ASSOCIATE-RQ: not its presentation contexts, if they are known."""
        if self._contexts is not None:  # a second one is not negotiated (PS3.8 9.2)
            return request
        self._contexts = b""
        try:
            contexts, rest, selects_roles = proposal(request)
        except Malformed:
            return request
        if selects_roles or len(contexts) > _LONGEST_LIST_BYTES:
            return request
        self._contexts = contexts
        self._known = self._outcomes.of(contexts)
        return rest if self._known is not None else request

    def send_accept(self) -> None:
        """All is negotiated: the accepted contexts that are known come back, before the peer can use them."""
        if self._known is not None:
            self.assoc._accepted_cx = self._known.accepted
        super().send_accept()

    def to_encode(self, answer: A_ASSOCIATE) -> None:
        """An answer on its way to be encoded: what is known of it need not be."""
        if self._known is not None:
            answer.presentation_context_definition_results_list = []

    def complete(self, answer: A_ASSOCIATE_AC) -> None:
        """An answer about to be sent: what is known of it is put in, and what is not is from now on."""
        if self._known is not None:
            answer.variable_items.insert(-1, _Encoded(self._known.answers))  # last is the user information
        elif self._contexts:
            answers = b"".join(item.encode() for item in answer.presentation_context)
            self._outcomes.keep(self._contexts, Outcome(self.assoc._accepted_cx, answers))


class _Encoded(PresentationContextItemAC):
    """Items as they are sent."""

    def __init__(self, items: bytes) -> None:
        super().__init__()
        self._items = items

    def encode(self) -> bytes:
        return self._items

    def __len__(self) -> int:
        return len(self._items)


def _copy(context: PresentationContext) -> PresentationContext:
    copy = PresentationContext()
    vars(copy).update(vars(context))
    copy._transfer_syntax = list(context.transfer_syntax)
    return copy
