"""C-STORE requests put together from their fragments; whatever else comes is left to pynetdicom."""

from collections.abc import Sequence
from dataclasses import dataclass
from io import BytesIO
from typing import final

from dicom_node.receiver.framing import Fragment, Malformed
from dicom_node.receiver.store_command import StoreRequest, store_request


@dataclass(frozen=True, slots=True, eq=False)
class Whole:
    """A request and its data set, complete."""

    context_id: int
    request: StoreRequest
    dataset: BytesIO


@final
class Assembly:
    """Takes the fragments of one association, PDU by PDU. Knows no socket, no clock and no limits."""

    def __init__(self) -> None:
        self._context_id = 0
        self._request: StoreRequest | None = None
        self._dataset = BytesIO()
        self._dropping = False

    @property
    def pending(self) -> bool:
        """Whether a request has come and its data set is still coming."""
        return self._request is not None

    def begin(self, found: Sequence[Fragment]) -> StoreRequest | None:
        """The request that `found`, a PDU between two messages, opens; None if it is not for us.

        For us is a whole C-STORE-RQ in one fragment, with fragments of its own data set or nothing behind it.
        """
        first = found[0]
        if not (first.is_command and first.is_last) or not _is_one_data_set(found[1:], first.context_id):
            return None
        return store_request(bytes(first.value))

    def take(self, found: Sequence[Fragment], request: StoreRequest | None = None) -> Whole | None:
        """Add a PDU's fragments: with `request`, those it came in. The message, once it is complete.

        Raises:
            Malformed: a fragment belongs to another message than the one that is coming.
        """
        if request is not None:
            self._context_id, self._request = found[0].context_id, request
            self._dataset, self._dropping = BytesIO(), False
            found = found[1:]
        if self._request is None or not _is_one_data_set(found, self._context_id):
            raise Malformed("fragments of two messages are mixed")
        for fragment in found if not self._dropping else ():
            self._dataset.write(fragment.value)
        return self._finished() if found and found[-1].is_last else None

    def drop(self) -> None:
        """Let go of what has come of this data set, and of what is still to come."""
        self._dataset, self._dropping = BytesIO(), True

    def _finished(self) -> Whole:
        assert self._request is not None
        whole = Whole(self._context_id, self._request, self._dataset)
        self._request, self._dataset = None, BytesIO()
        return whole


def _is_one_data_set(found: Sequence[Fragment], context_id: int) -> bool:
    """Whether these are fragments of one data set in this context, none of them behind its last."""
    return not any(
        fragment.is_command
        or fragment.context_id != context_id
        or (fragment.is_last and fragment is not found[-1])
        for fragment in found
    )
