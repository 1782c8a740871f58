"""The DICOM conformance statement (PS3.2 Annex N), printed from the tables and objects it speaks of."""

from itertools import chain

from dicom_node.statement.acceptance import acceptance
from dicom_node.statement.air import air
from dicom_node.statement.annexes import annexes_after_objects, annexes_after_terms
from dicom_node.statement.committing import committing
from dicom_node.statement.configuration import configuration
from dicom_node.statement.dicomweb import dicomweb
from dicom_node.statement.initiation import initiation
from dicom_node.statement.model import model
from dicom_node.statement.objects import objects
from dicom_node.statement.overview import overview
from dicom_node.statement.security import security
from dicom_node.statement.terminology import terminology
from reports import created_objects

__all__ = ["statement"]


def statement() -> str:
    """The whole statement, as Markdown. Takes some seconds: every kind of object is written for it."""
    creation = created_objects()
    sections = (
        overview(creation),
        model(),
        acceptance(),
        committing(),
        initiation(creation),
        dicomweb(),
        configuration(),
        security(),
        air(),
        objects(creation),
        annexes_after_objects(),
        terminology(creation),
        annexes_after_terms(creation),
    )
    return "\n".join(chain.from_iterable(sections))
