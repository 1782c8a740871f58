"""A pytest plugin: every association that pynetdicom's own tests accept is one of ours.

`make acceptor` shows how it is used. Their ports are fixed: one run at a time on a machine.
"""

from copy import deepcopy

import pytest
from pynetdicom import _config
from pynetdicom.transport import RequestHandler

from dicom_node.receiver.negotiation import Outcomes
from dicom_node.receiver.served import ServedAssociation
from dicom_node.receiver.wire import Wire

_stock = RequestHandler._create_association


def _ours(handler: RequestHandler) -> ServedAssociation:
    """What pynetdicom would create, with our association, upper layer and socket."""
    stock = _stock(handler)
    association = ServedAssociation(handler.ae, "acceptor", Outcomes())
    association._server, association.name = handler.server, stock.name
    association.set_socket(Wire(association, handler.request, association.dul.bell))
    us, theirs = association.acceptor, stock.acceptor
    us.ae_title, us.address_info, us.maximum_length = (
        theirs.ae_title,
        theirs.address_info,
        theirs.maximum_length,
    )
    us.implementation_class_uid = theirs.implementation_class_uid
    us.implementation_version_name = theirs.implementation_version_name
    us.supported_contexts = deepcopy(theirs.supported_contexts)
    association.requestor.address_info = stock.requestor.address_info
    association._handlers = stock._handlers
    return association


@pytest.fixture(autouse=True)
def _accept_by_us(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(RequestHandler, "_create_association", _ours)
    monkeypatch.setattr(_config, "LOG_HANDLER_LEVEL", "standard")  # some read the log; we turn it off
