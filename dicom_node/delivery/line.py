"""The way to one peer: associations as a service class user, and sentences for those that fail."""

import logging
import ssl
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, final

from pydicom.uid import UID
from pynetdicom import AE, _config, evt
from pynetdicom.association import Association
from pynetdicom.pdu_primitives import SCP_SCU_RoleSelectionNegotiation
from pynetdicom.presentation import PresentationContext, build_context

from dicom_node import config_sections
from dicom_node.archive.part10 import IMPLEMENTATION_CLASS_UID, IMPLEMENTATION_VERSION
from dicom_node.conformance import BASIC
from dicom_node.delivery.pause import pause_surely
from dicom_node.errors import DestinationRefused, DestinationUnreachable, ServiceRefused, TlsError
from dicom_node.tls import TlsFiles, client_context, handshake_failure

# Its messages quote datasets; what an administrator needs to know is in our outcomes.
_config.LOG_HANDLER_LEVEL = "none"
# A file that is sent by its path goes out as it lies there, and is not decoded and encoded again.
_config.STORE_SEND_CHUNKED_DATASET = True
logging.getLogger("pynetdicom").setLevel(logging.CRITICAL + 1)

Handler = tuple[Any, Callable[..., Any]]
Role = SCP_SCU_RoleSelectionNegotiation


class Unanswered(Exception):
    """A request got no answer; the message names it. `Line.service` finds out what that means."""


def context(sop_class_uid: str) -> PresentationContext:
    """A class as we propose it."""
    return build_context(sop_class_uid, [syntax.uid for syntax in BASIC])


@final
class Line:
    """Opens associations with one destination."""

    def __init__(
        self, settings: config_sections.Destination, calling_ae_title: str, timeout_s: float, tls: TlsFiles
    ) -> None:
        self.settings = settings
        self._calling_ae_title = calling_ae_title
        self._timeout_s = timeout_s
        self._tls = tls

    @property
    def name(self) -> str:
        """What commands and tables call the peer."""
        return self.settings.name

    @property
    def address(self) -> str:
        """Where it listens."""
        return f"{self.settings.host}:{self.settings.port}"

    def associate(
        self,
        contexts: list[PresentationContext],
        roles: Sequence[Role] = (),
        handlers: Sequence[Handler] = (),
    ) -> Association:
        """An association, established, or accepted without any of our contexts and then at its end.

        Raises:
            DestinationUnreachable: nobody answered there, or nobody who speaks DICOM.
            DestinationRefused: the association was rejected.
        """
        connected = threading.Event()
        secured = self._secured()
        try:
            association = self._entity().associate(
                self.settings.host,
                self.settings.port,
                contexts=contexts,
                ae_title=self.settings.ae_title,
                ext_neg=list(roles),
                evt_handlers=[(evt.EVT_CONN_OPEN, lambda event: connected.set()), *handlers],
                tls_args=secured,
            )
        except OSError as error:
            unknown = f"the host {self.settings.host} is unknown ({error.strerror or error})"
            raise DestinationUnreachable(f"{self.name}: {unknown}") from error
        if association.is_established or association.rejected_contexts:
            return pause_surely(association)
        if association.is_rejected:
            raise DestinationRefused(f"{self.name} refused the association: {self._rejection(association)}")
        if connected.is_set():
            took = f"somebody at {self.address} took the connection, but opened no DICOM association"
            raise DestinationUnreachable(f"{self.name}: {took}")
        where = self.settings.host, self.settings.port
        if secured and (trouble := handshake_failure(secured, where, self._timeout_s)):
            raise DestinationUnreachable(f"{self.name}: no TLS with {self.address}: {trouble}")
        raise DestinationUnreachable(f"{self.name}: nobody answers at {self.address}")

    @contextmanager
    def service(
        self,
        sop_class_uid: UID,
        others: Sequence[PresentationContext] = (),
        roles: Sequence[Role] = (),
        handlers: Sequence[Handler] = (),
    ) -> Iterator[Association]:
        """An association on which this class was accepted, released at the end of the block.

        Raises:
            ServiceRefused: the peer does not accept the class, or hangs up when it is asked.
            DestinationError: as `associate`; or a request went unanswered.
        """
        began_s = time.monotonic()
        association = self.associate([context(sop_class_uid), *others], roles, handlers)
        try:
            accepted = {one.abstract_syntax for one in association.accepted_contexts}
            if sop_class_uid not in accepted:
                raise ServiceRefused(f"{self.name} does not accept {sop_class_uid.name}")
            yield association
        except (Unanswered, RuntimeError) as error:  # pynetdicom's word for an association that is over
            # a silent one keeps us waiting; some hang up without a word when a stranger asks
            if time.monotonic() - began_s < self._timeout_s:
                who = f"let it allow {self._calling_ae_title} to ask"
                raise ServiceRefused(
                    f"{self.name} hangs up when asked by {sop_class_uid.name}; {who}"
                ) from error
            raise DestinationUnreachable(f"{self.name} did not answer {error}") from error
        finally:
            if association.is_established:
                association.release()

    def _entity(self) -> AE:
        ae = AE(ae_title=self._calling_ae_title)
        ae.implementation_class_uid = UID(IMPLEMENTATION_CLASS_UID)
        ae.implementation_version_name = IMPLEMENTATION_VERSION
        ae.connection_timeout = ae.acse_timeout = ae.dimse_timeout = self._timeout_s
        ae.network_timeout = None
        return ae

    def _secured(self) -> tuple[ssl.SSLContext, str] | None:
        """The TLS context of one association, read anew so that replaced certificates count at once.

        Raises:
            DestinationUnreachable: our own certificates cannot be used.
        """
        if not self.settings.tls:
            return None
        try:
            return client_context(self._tls), self.settings.tls_name or self.settings.host
        except TlsError as error:
            raise DestinationUnreachable(f"{self.name}: {error}") from error

    def _rejection(self, association: Association) -> str:
        """The reason given (PS3.8 table 9-21), with what to do where that is known."""
        answer = association.acceptor.primitive
        reason = (answer.result_source, answer.diagnostic) if answer else (None, None)
        match reason:
            case (1, 3):
                return f"it does not know our AE title, {self._calling_ae_title}; have it added there"
            case (1, 7):
                return f"it is not called {self.settings.ae_title}; see ae_title of this destination"
            case (3, 2):
                return "it serves as many associations as it can"
            case _:
                return answer.reason_str if answer else "no reason given"
