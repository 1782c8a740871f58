"""One table: what is negotiated, and what happens to it."""

import pytest
from pynetdicom.presentation import build_context, negotiate_as_acceptor
from pynetdicom.service_class import StorageServiceClass
from pynetdicom.sop_class import uid_to_service_class

from dicom_node.conformance import (
    IMAGE,
    SERVICES,
    Action,
    Role,
    accepted_contexts,
    action_of,
)
from reports import sr_forms
from tests.dicom_node.receiving import MR_IMAGE, SECONDARY_CAPTURE

BASIC_TEXT_SR = "1.2.840.10008.5.1.4.1.1.88.11"
COMPREHENSIVE_3D_SR = "1.2.840.10008.5.1.4.1.1.88.34"
EXPLICIT, IMPLICIT, BIG_ENDIAN = "1.2.840.10008.1.2.1", "1.2.840.10008.1.2", "1.2.840.10008.1.2.2"
JPEG_LS, JPEG_2000, JPEG_LOSSLESS, JPEG_LOSSLESS_14 = (
    f"1.2.840.10008.1.2.4.{suffix}" for suffix in (80, 90, 70, 57)
)
RLE, DEFLATED = "1.2.840.10008.1.2.5", "1.2.840.10008.1.2.1.99"
LOSSY = tuple(f"1.2.840.10008.1.2.4.{suffix}" for suffix in (50, 51, 81, 91))


def accepted(sop_class: str, *offered: str) -> str | None:
    """The transfer syntax the receiver takes when a scanner offers these, in this order."""
    asked = build_context(sop_class, list(offered))
    asked.context_id = 1
    (answer,), _ = negotiate_as_acceptor([asked], accepted_contexts())
    return str(answer.transfer_syntax[0]) if answer.result == 0 else None


def test_the_order_of_preference_is_ours_not_the_senders() -> None:
    order = (
        EXPLICIT,
        JPEG_LS,
        JPEG_2000,
        JPEG_LOSSLESS,
        JPEG_LOSSLESS_14,
        RLE,
        DEFLATED,
        IMPLICIT,
        BIG_ENDIAN,
    )
    assert tuple(str(syntax.uid) for syntax in IMAGE) == (*order, *LOSSY)
    for place in range(len(order)):
        assert accepted(MR_IMAGE, *reversed(order[place:])) == order[place]


@pytest.mark.parametrize("syntax", LOSSY)
def test_a_lossy_syntax_is_taken_only_if_nothing_better_is_offered(syntax: str) -> None:
    assert accepted(MR_IMAGE, syntax) == syntax
    assert accepted(MR_IMAGE, syntax, IMPLICIT) == IMPLICIT
    assert {str(row.uid) for row in IMAGE if row.lossy} == set(LOSSY)


def test_what_no_decoder_of_ours_reads_is_not_negotiated() -> None:
    htj2k, mpeg4 = "1.2.840.10008.1.2.4.201", "1.2.840.10008.1.2.4.102"
    assert accepted(MR_IMAGE, htj2k, mpeg4) is None


@pytest.mark.parametrize(
    ("sop_class", "action"),
    [
        (MR_IMAGE, Action.ANALYSE),
        ("1.2.840.10008.5.1.4.1.1.4.1", Action.ANALYSE),
        ("1.2.840.10008.5.1.4.1.1.4.4", Action.ANALYSE),
        ("1.2.840.10008.5.1.4.1.1.3.1", Action.DISCARD),
        (SECONDARY_CAPTURE, Action.DISCARD),
        (COMPREHENSIVE_3D_SR, Action.DISCARD),
        ("1.2.840.10008.5.1.4.1.1.104.1", Action.DISCARD),
        ("1.2.840.10008.5.1.4.1.1.2", None),
    ],
)
def test_each_class_has_one_fate(sop_class: str, action: Action | None) -> None:
    assert action_of(sop_class) is action


def test_without_discarding_only_what_is_analysed_is_negotiated() -> None:
    offered = {str(context.abstract_syntax) for context in accepted_contexts(discard=False)}
    assert SECONDARY_CAPTURE not in offered
    assert all(action_of(sop_class) is not Action.DISCARD for sop_class in offered)
    assert MR_IMAGE in offered


def test_every_class_stands_in_the_table_once_per_role() -> None:
    keys = [(service.sop_class_uid, service.role) for service in SERVICES]
    assert len(set(keys)) == len(keys)
    assert all(service.name != service.sop_class_uid for service in SERVICES)


def test_pynetdicom_serves_every_class_that_we_accept() -> None:
    stored = {
        service.sop_class_uid for service in SERVICES if service.action in (Action.ANALYSE, Action.DISCARD)
    }
    assert {uid_to_service_class(sop_class) for sop_class in stored} == {StorageServiceClass}


def test_what_the_sender_proposes_stands_in_the_table() -> None:
    sent = {str(service.sop_class_uid) for service in SERVICES if service.role is Role.SCU}
    assert {*sr_forms(COMPREHENSIVE_3D_SR), *sr_forms(BASIC_TEXT_SR), SECONDARY_CAPTURE} <= sent
