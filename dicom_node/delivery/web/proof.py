"""Asking a DICOMweb service what it holds."""

import uuid
from collections.abc import Sequence
from typing import final

from dicom_node.delivery.proof import Finding, Found, Method, SentObject
from dicom_node.delivery.returned import missing_if_unlisted
from dicom_node.delivery.web import qido, wado
from dicom_node.delivery.web.line import WebLine
from dicom_node.errors import ServiceRefused


@final
class WebProof:
    """See `Proving`; every question is a request of its own."""

    def __init__(self, line: WebLine) -> None:
        self._line = line

    @property
    def address(self) -> str:
        return self._line.settings.url

    @property
    def wish(self) -> str:
        return self._line.settings.proof

    def offers(self) -> list[Method]:
        """There is nothing to negotiate: it is asked for an object that nobody has, and may not know it.

        Without QIDO-RS nobody can tell an object that is not there from a service that is not.
        """
        unknown_uid = f"2.25.{uuid.uuid4().int}"
        try:
            qido.list_series(self._line, unknown_uid, unknown_uid)
        except ServiceRefused:
            return []
        try:
            gives_back = wado.is_offered(self._line, unknown_uid)
        except ServiceRefused:
            gives_back = False
        return [Method.RETRIEVE, Method.QUERY] if gives_back else [Method.QUERY]

    def commit(
        self, transaction_uid: str, objects: Sequence[SentObject], linger_s: float
    ) -> list[Finding] | None:
        raise ServiceRefused(f"{self._line.name} is not asked to commit; that goes by DIMSE alone")

    def retrieve(self, objects: Sequence[SentObject]) -> list[Finding]:
        findings = wado.retrieve(self._line, objects)
        if all(one.found is not Found.UNKNOWN for one in findings):
            return findings
        return missing_if_unlisted(findings, qido.query(self._line, objects))

    def query(self, objects: Sequence[SentObject]) -> list[Finding]:
        return qido.query(self._line, objects)
