"""Asking a DIMSE peer what it holds: Storage Commitment, C-GET and C-FIND as service class user."""

from collections.abc import Sequence
from typing import final

from dicom_node.conformance import COMMITMENT, STUDY_ROOT_FIND, STUDY_ROOT_GET
from dicom_node.delivery.commitment_scu import ask
from dicom_node.delivery.line import Line, context
from dicom_node.delivery.proof import STRONGEST_FIRST, Finding, Found, Method, SentObject
from dicom_node.delivery.query_scu import query
from dicom_node.delivery.retrieve_scu import retrieve
from dicom_node.delivery.returned import missing_if_unlisted
from dicom_node.errors import ServiceRefused

_CLASS_OF = {Method.COMMITMENT: COMMITMENT, Method.RETRIEVE: STUDY_ROOT_GET, Method.QUERY: STUDY_ROOT_FIND}


@final
class ProofScu:
    """One association per question; see `Proving`."""

    def __init__(self, line: Line) -> None:
        self._line = line

    @property
    def address(self) -> str:
        return f"{self._line.address} {self._line.settings.ae_title}"

    @property
    def wish(self) -> str:
        return self._line.settings.proof

    def offers(self) -> list[Method]:
        association = self._line.associate([context(uid) for uid in _CLASS_OF.values()])
        accepted = {one.abstract_syntax for one in association.accepted_contexts}
        if association.is_established:
            association.release()
        return [method for method in STRONGEST_FIRST if _CLASS_OF[method] in accepted]

    def commit(
        self, transaction_uid: str, objects: Sequence[SentObject], linger_s: float
    ) -> list[Finding] | None:
        return ask(self._line, transaction_uid, objects, linger_s)

    def retrieve(self, objects: Sequence[SentObject]) -> list[Finding]:
        findings = retrieve(self._line, objects)
        if all(one.found is not Found.UNKNOWN for one in findings):
            return findings
        try:
            return missing_if_unlisted(findings, query(self._line, objects))
        except ServiceRefused:
            return findings

    def query(self, objects: Sequence[SentObject]) -> list[Finding]:
        return query(self._line, objects)
