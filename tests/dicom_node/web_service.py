"""A DICOMweb service that answers as it is told, on a free loopback port."""

import contextlib
import json
import ssl
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from dicom_node.config_destinations import WebDestination
from dicom_node.delivery.web.destination import WebPacs
from dicom_node.tls import TlsFiles

JSON = "application/dicom+json"


@dataclass(frozen=True)
class Asked:
    """One request."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def uid(self) -> str:
        """The SOP Instance UID of our test objects, as it stands in what was sent."""
        return "2.25.1" if b"2.25.1" in self.body else "2.25.2"


@dataclass(frozen=True)
class Reply:
    """One answer; `body` may come in pieces, and without end."""

    status: int = 200
    body: Iterable[bytes] | bytes = b""
    kind: str = JSON
    headers: dict[str, str] = field(default_factory=dict)


Answer = Callable[[Asked], Reply]


@dataclass
class Service:
    """What it heard, and how it is reached."""

    url: str = ""
    heard: list[Asked] = field(default_factory=list)
    broken_off: threading.Event = field(default_factory=threading.Event)

    def pacs(
        self,
        timeout_s: float = 10.0,
        tls: TlsFiles | None = None,
        variable: Callable[[str], str | None] = lambda name: None,
        **settings: Any,
    ) -> WebPacs:
        place = WebDestination.model_validate({"name": "web", "url": self.url, **settings})
        return WebPacs(place, timeout_s, tls or TlsFiles(), variable)


def stored(asked: Asked, *uids: str, **more: int) -> Reply:
    """Everything was stored; `more` is added to each item (warning=0xB000)."""
    items = [_item(uid, **more) for uid in uids or (asked.uid,)]
    return Reply(body=json.dumps({"00081199": {"vr": "SQ", "Value": items}}).encode())


def failed(reason: int | None, status: int = 409) -> Answer:
    """Nothing was, for this reason."""

    def answer(asked: Asked) -> Reply:
        item = _item(asked.uid) | ({"00081197": {"vr": "US", "Value": [reason]}} if reason else {})
        body = json.dumps({"00081198": {"vr": "SQ", "Value": [item]}}).encode()
        return Reply(status, body)

    return answer


def listed(*uids: str) -> Reply:
    """The answer to a query."""
    found = [{"00080018": {"vr": "UI", "Value": [uid]}} for uid in uids]
    return Reply(body=json.dumps(found).encode())


def _item(uid: str, warning: int | None = None) -> dict[str, Any]:
    item: dict[str, Any] = {"00081155": {"vr": "UI", "Value": [uid]}}
    return item | ({"00081196": {"vr": "US", "Value": [warning]}} if warning else {})


class _Handler(BaseHTTPRequestHandler):
    """One connection. `service` and `answer` are set in the subclass that each service makes."""

    protocol_version = "HTTP/1.1"
    service: Service
    answer: Answer

    def do_GET(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        asked = Asked(self.command, self.path, dict(self.headers), body)
        self.service.heard.append(asked)
        self._answer(type(self).answer(asked))

    def do_POST(self) -> None:
        self.do_GET()

    def _answer(self, reply: Reply) -> None:
        whole = isinstance(reply.body, bytes)
        length = {"Content-Length": str(len(reply.body))} if isinstance(reply.body, bytes) else {}
        self.send_response(reply.status)
        for name, value in ({"Content-Type": reply.kind} | length | reply.headers).items():
            self.send_header(name, value)
        self.end_headers()
        self.close_connection = not whole
        try:
            for piece in [reply.body] if isinstance(reply.body, bytes) else reply.body:
                self.wfile.write(piece)
        except OSError:
            self.service.broken_off.set()

    def log_message(self, *_arguments: object) -> None:
        """Nothing."""


@contextmanager
def web_service(
    answer: Answer, certificate: Path | None = None, key: Path | None = None
) -> Iterator[Service]:
    """Say what `answer` says to every request."""
    service = Service()
    handler = type("Handler", (_Handler,), {"service": service, "answer": staticmethod(answer)})
    server = _Server(("127.0.0.1", 0), handler)
    if certificate is not None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate, key)
        server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    scheme = "https" if certificate else "http"
    service.url = f"{scheme}://127.0.0.1:{server.server_address[1]}/dicom-web"
    listening = threading.Thread(target=server.serve_forever, args=(0.01,))
    listening.start()
    try:
        yield service
    finally:
        server.shutdown()
        server.server_close()
        listening.join()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False

    def handle_error(self, request: object, client_address: object) -> None:
        """A caller who does not like us hangs up; that is his right."""

    def finish_request(self, request: Any, client_address: Any) -> None:
        with contextlib.suppress(ssl.SSLError, ConnectionError):
            super().finish_request(request, client_address)
