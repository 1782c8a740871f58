"""One place results go to, by DICOMweb."""

import uuid
from collections.abc import Callable, Iterator, Sequence
from itertools import repeat
from typing import final

from dicom_node.config_destinations import WebDestination
from dicom_node.delivery.destination import EchoResult
from dicom_node.delivery.dimse_status import Verdict
from dicom_node.delivery.proof import Proving
from dicom_node.delivery.storage_scu import Hear, ResultObject, SendOutcome, heard, silent
from dicom_node.delivery.web.line import WebLine
from dicom_node.delivery.web.proof import WebProof
from dicom_node.delivery.web.qido import list_series
from dicom_node.delivery.web.session import Silent
from dicom_node.delivery.web.stow import store
from dicom_node.errors import DestinationError, ServiceRefused
from dicom_node.tls import TlsFiles


@final
class WebPacs:
    """A DICOMweb service; see `Destination`."""

    ae_title = ""

    def __init__(
        self,
        settings: WebDestination,
        timeout_s: float,
        tls: TlsFiles,
        variable: Callable[[str], str | None],
    ) -> None:
        """`variable` looks a name up in the environment."""
        self._line = WebLine(settings, timeout_s, tls, variable)
        self.proof: Proving = WebProof(self._line)

    @property
    def name(self) -> str:
        return self._line.name

    @property
    def proving(self) -> Proving | None:
        return None if self._line.settings.proof == "none" else self.proof

    def send(self, objects: Sequence[ResultObject], hear: Hear = silent) -> list[SendOutcome]:
        """One request per object; after one that was not answered, the others wait."""
        return heard(self._outcomes(objects), hear)

    def _outcomes(self, objects: Sequence[ResultObject]) -> Iterator[SendOutcome]:
        with self._line.client() as client:
            for number, item in enumerate(objects):
                try:
                    yield store(self._line, client, item)
                except Silent as error:
                    yield SendOutcome(
                        Verdict.LATER, None, str(error), item.sop_class_uid, item.sop_instance_uid
                    )
                    break
                except DestinationError as error:
                    if number == 0:
                        raise
                    yield SendOutcome(Verdict.LATER, comment=str(error))
                    break
            else:
                return
        comment = f"{self.name} did not answer for the object before"
        yield from repeat(SendOutcome(Verdict.LATER, comment=comment), len(objects) - number - 1)

    def echo(self) -> EchoResult:
        """Whether anybody answers there and lets us in: asked for a series that nobody has."""
        unknown_uid = f"2.25.{uuid.uuid4().int}"
        url = self._line.settings.url
        try:
            list_series(self._line, unknown_uid, unknown_uid)
        except ServiceRefused as error:
            return EchoResult(True, f"{self.name} answers at {url}, but not our queries: {error}")
        except DestinationError as error:
            return EchoResult(False, str(error))
        return EchoResult(True, f"{self.name} answers at {url}")
