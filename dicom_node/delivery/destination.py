"""One place results go to, over DIMSE: C-STORE and C-ECHO as service class user (PS3.4 annexes A and B)."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, final

from pydicom import Dataset
from pynetdicom.sop_class import Verification  # type: ignore[attr-defined]  # made at import

from dicom_node import config_sections
from dicom_node.delivery.line import Line, context
from dicom_node.delivery.proof import Proving
from dicom_node.delivery.proof_scu import ProofScu
from dicom_node.delivery.storage_association import StorageAssociation
from dicom_node.delivery.storage_scu import Hear, ResultObject, SendOutcome, StorageScu, heard, silent
from dicom_node.errors import DestinationError
from dicom_node.tls import TlsFiles
from reports import sr_forms

_PATIENCE_S = 30.0


@dataclass(frozen=True, slots=True)
class EchoResult:
    """Whether a destination answered C-ECHO with Success, and a sentence."""

    alive: bool
    sentence: str


class Destination(Protocol):
    """Somewhere results go."""

    @property
    def name(self) -> str:
        """What commands and tables call it."""

    @property
    def ae_title(self) -> str:
        """Under which AE title it may call us; empty if it does not."""

    @property
    def proof(self) -> Proving:
        """How it can be asked for proof."""

    @property
    def proving(self) -> Proving | None:
        """The same, if it is to be asked; None if Success is to be enough."""

    def send(self, objects: Sequence[ResultObject], hear: Hear = silent) -> list[SendOutcome]:
        """Send the objects of one study, and say what became of each, in order. Twice does no harm.

        `hear` is told each outcome as it comes.

        Raises:
            DestinationError: nothing was sent, because there was nobody to send it to.
        """

    def echo(self) -> EchoResult:
        """Ask whether it is there."""


@final
class Pacs:
    """A storage SCP on the network; one association per `send`."""

    def __init__(
        self,
        settings: config_sections.Destination,
        calling_ae_title: str,
        timeout_s: float,
        tls: TlsFiles | None = None,
    ) -> None:
        self._line = Line(settings, calling_ae_title, timeout_s, tls or TlsFiles())
        self.proof: Proving = ProofScu(self._line)

    @property
    def name(self) -> str:
        return self._line.name

    @property
    def ae_title(self) -> str:
        """Its AE title."""
        return self._line.settings.ae_title

    @property
    def proving(self) -> Proving | None:
        return None if self._line.settings.proof == "none" else self.proof

    def send(self, objects: Sequence[ResultObject], hear: Hear = silent) -> list[SendOutcome]:
        classes = dict.fromkeys(form for item in objects for form in sr_forms(item.sop_class_uid))
        association = StorageAssociation(self._line.associate([context(uid) for uid in classes]))
        scu = StorageScu(association, self.name)
        try:
            return heard((scu.send(item) for item in objects), hear)
        finally:
            association.release()

    def echo(self) -> EchoResult:
        """Ask whether it is there (PS3.4 annex A)."""
        try:
            association = self._line.associate([context(str(Verification))])
        except DestinationError as error:
            return EchoResult(False, str(error))
        if not association.is_established:
            return EchoResult(False, f"{self.name} accepts our association but not C-ECHO")
        try:
            answer = association.send_c_echo()
        except RuntimeError:
            answer = Dataset()
        finally:
            if association.is_established:
                association.release()
        if "Status" not in answer:
            return EchoResult(False, f"{self.name} took our association and did not answer C-ECHO")
        if answer.Status != 0x0000:
            return EchoResult(False, f"{self.name} answered C-ECHO with {answer.Status:04X}H")
        return EchoResult(True, f"{self.name} answered as {self.ae_title} at {self._line.address}")
