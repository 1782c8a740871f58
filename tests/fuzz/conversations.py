"""What well-behaved peers say, as pynetdicom writes it: the material that is then spoiled."""

from collections.abc import Iterator, Sequence
from functools import cache
from io import BytesIO

from pydicom.dataset import Dataset
from pydicom.encaps import encapsulate
from pydicom.uid import (
    UID,
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    JPEG2000Lossless,
)
from pynetdicom import build_context
from pynetdicom.dimse_messages import (
    C_CANCEL_RQ,
    C_ECHO_RQ,
    C_FIND_RQ,
    C_STORE_RQ,
    N_EVENT_REPORT_RQ,
    DIMSEMessage,
)
from pynetdicom.dimse_primitives import C_CANCEL, C_ECHO, C_FIND, C_STORE, N_EVENT_REPORT
from pynetdicom.dsutils import encode
from pynetdicom.pdu import A_ABORT_RQ, A_ASSOCIATE_RQ, A_RELEASE_RQ, P_DATA_TF
from pynetdicom.pdu_primitives import (
    A_ASSOCIATE,
    AsynchronousOperationsWindowNegotiation,
    ImplementationClassUIDNotification,
    ImplementationVersionNameNotification,
    MaximumLengthNotification,
    SCP_SCU_RoleSelectionNegotiation,
    ServiceParameter,
    UserIdentityNegotiation,
)
from pynetdicom.presentation import PresentationContext

from tests.fuzz.streams import Pdu, Stream, parsed

MR_IMAGE = UID("1.2.840.10008.5.1.4.1.1.4")
VERIFICATION = UID("1.2.840.10008.1.1")
COMMITMENT = UID("1.2.840.10008.1.20.1")
STUDY, INSTANCE = "1.2.826.0.1.3680043.8.498.1", "1.2.826.0.1.3680043.8.498.2"
SYNTAXES = (
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    ExplicitVRBigEndian,
    DeflatedExplicitVRLittleEndian,
    JPEG2000Lossless,
)
CONTEXTS = [
    (1, VERIFICATION, ImplicitVRLittleEndian),
    *((3 + 2 * number, MR_IMAGE, syntax) for number, syntax in enumerate(SYNTAXES)),
    (13, COMMITMENT, ImplicitVRLittleEndian),
]
"""Context IDs, what they are for, and their transfer syntaxes, as every conversation proposes them."""


def data_set(syntax: UID, instance: str = INSTANCE, pixels: int = 64) -> bytes:
    """A small image, encoded."""
    image = Dataset()
    image.SOPClassUID, image.SOPInstanceUID, image.StudyInstanceUID = MR_IMAGE, instance, STUDY
    image.Modality, image.PatientName, image.SliceThickness = "MR", "Fuzz^Test", "8.5"
    item = Dataset()
    item.ReferencedSOPClassUID, item.ReferencedSOPInstanceUID = MR_IMAGE, "1.2.3"
    image.ReferencedImageSequence = [item, item]
    image.Rows, image.Columns, image.BitsAllocated = 8, pixels // 16, 16
    image.add_new(0x7FE00010, "OW", bytes(pixels))
    if syntax.is_encapsulated:
        image["PixelData"].VR, image["PixelData"].is_undefined_length = "OB", True
        image["PixelData"].value = encapsulate([bytes(pixels)])
    whole = encode(image, syntax.is_implicit_VR, syntax.is_little_endian, syntax.is_deflated)
    assert whole is not None
    return whole


def association_request(contexts: Sequence[tuple[int, UID, UID]] = CONTEXTS) -> bytes:
    """An A-ASSOCIATE-RQ for these contexts, with every kind of user item."""
    asked = A_ASSOCIATE()
    asked.application_context_name = "1.2.840.10008.3.1.1.1"
    asked.calling_ae_title, asked.called_ae_title = "FUZZ", "DICOMNODE"
    asked.presentation_context_definition_list = [_context(*one) for one in contexts]
    asked.user_information = list(_user_items())
    pdu = A_ASSOCIATE_RQ()
    pdu.from_primitive(asked)
    return bytes(pdu.encode())


def _context(number: int, abstract: UID, syntax: UID) -> PresentationContext:
    context = build_context(abstract, syntax)
    context.context_id = number
    return context


def _user_items() -> Iterator[ServiceParameter]:
    longest = MaximumLengthNotification()
    longest.maximum_length_received = 16382
    implementation = ImplementationClassUIDNotification()
    implementation.implementation_class_uid = UID("1.2.826.0.1.3680043.9.3811")
    version = ImplementationVersionNameNotification()
    version.implementation_version_name = "FUZZ_1"
    window = AsynchronousOperationsWindowNegotiation()
    window.maximum_number_operations_invoked = window.maximum_number_operations_performed = 1
    role = SCP_SCU_RoleSelectionNegotiation()
    role.sop_class_uid, role.scu_role, role.scp_role = COMMITMENT, True, True
    who = UserIdentityNegotiation()
    who.user_identity_type, who.primary_field = 1, b"nobody"
    yield from (longest, implementation, version, window, role, who)


def c_store(syntax: UID, number: int = 1, pixels: int = 64) -> C_STORE:
    """A request to store a small image."""
    request = C_STORE()
    request.MessageID, request.Priority = number, 2
    request.AffectedSOPClassUID, request.AffectedSOPInstanceUID = MR_IMAGE, f"{INSTANCE}.{number}"
    request.DataSet = BytesIO(data_set(syntax, f"{INSTANCE}.{number}", pixels))
    return request


def _echo() -> C_ECHO:
    request = C_ECHO()
    request.MessageID, request.AffectedSOPClassUID = 1, VERIFICATION
    return request


def _find() -> C_FIND:
    request = C_FIND()
    request.MessageID, request.Priority = 9, 2
    request.AffectedSOPClassUID = UID("1.2.840.10008.5.1.4.1.2.2.1")
    request.Identifier = BytesIO(data_set(ImplicitVRLittleEndian))
    return request


def _cancel() -> C_CANCEL:
    request = C_CANCEL()
    request.MessageIDBeingRespondedTo = 9
    return request


def _report() -> N_EVENT_REPORT:
    request = N_EVENT_REPORT()
    request.MessageID, request.EventTypeID = 3, 1
    request.AffectedSOPClassUID = COMMITMENT
    request.AffectedSOPInstanceUID = UID("1.2.840.10008.1.20.1.1")
    request.EventInformation = BytesIO(data_set(ImplicitVRLittleEndian))
    return request


def _sent(message: DIMSEMessage, request: object, context_id: int, longest: int = 16382) -> Stream:
    message.primitive_to_message(request)
    return [parsed(P_DATA_TF(part).encode()) for part in message.encode_msg(context_id, longest)]


def _in_one_pdu(stream: Stream) -> Stream:
    """The same values in one P-DATA-TF."""
    return [Pdu(stream[0].kind, parts=[value for pdu in stream for value in pdu.values])]


@cache
def conversations() -> tuple[Stream, ...]:
    """What comes after an association was accepted; what is done to them must be done to copies."""
    stores = [
        _sent(C_STORE_RQ(), c_store(syntax, number + 1), 3 + 2 * number)
        for number, syntax in enumerate(SYNTAXES)
    ]
    small = [_sent(C_STORE_RQ(), c_store(SYNTAXES[0], 7), 3, longest) for longest in (64, 128, 400)]
    others = [
        _sent(C_ECHO_RQ(), _echo(), 1),
        _sent(C_FIND_RQ(), _find(), 1),
        _sent(C_CANCEL_RQ(), _cancel(), 1),
        _sent(N_EVENT_REPORT_RQ(), _report(), 13),
    ]
    release = [parsed(A_RELEASE_RQ().encode())]
    abort = A_ABORT_RQ()
    abort.source, abort.reason_diagnostic = 0, 0
    return (
        *stores,
        *stores,  # twice: of these the most is read
        *small,
        *others,
        *(_in_one_pdu(store) for store in stores[:2]),
        [*stores[0], *stores[1], *stores[0]],
        [*others[0], *stores[2], *release],
        [*stores[0][:1], parsed(abort.encode())],
    )
