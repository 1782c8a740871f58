"""OHIF's files and an archive's DICOMweb on one loopback origin, as a hospital's web server would offer them."""

import contextlib
import http.client
import mimetypes
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from typing import Self

_APP_CONFIG = """
window.config = {
  routerBasename: '/', showStudyList: true, extensions: [], modes: [], customizationService: {},
  maxNumberOfWebWorkers: 2, maxNumRequests: {interaction: 10, thumbnail: 2, prefetch: 2},
  showLoadingIndicator: true, strictZSpacingForVolumeViewport: true,
  investigationalUseDialog: {option: 'never'},
  defaultDataSourceName: 'archive',
  dataSources: [{
    namespace: '@ohif/extension-default.dataSourcesModule.dicomweb', sourceName: 'archive',
    configuration: {
      friendlyName: 'archive', name: 'archive',
      qidoRoot: location.origin + '/dicom-web', wadoRoot: location.origin + '/dicom-web',
      qidoSupportsIncludeField: false, supportsReject: false, supportsWildcard: true,
      supportsFuzzyMatching: false, imageRendering: 'wadors', thumbnailRendering: 'wadors',
      enableStudyLazyLoad: true, omitQuotationForMultipartRequest: true,
      bulkDataURI: {enabled: true, relativeResolution: 'studies'},
    },
  }],
};
"""

# Without these two a page gets no SharedArrayBuffer, which OHIF's volumes are made of.
_ISOLATION = {
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Embedder-Policy": "require-corp",
}


class Origin:
    """A web server that lives as long as the `with` block; `url` is where a browser finds OHIF."""

    def __init__(self, dist: Path, archive_port: int) -> None:
        handler = type("Handler", (_Handler,), {"dist": dist.resolve(), "archive_port": archive_port})
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class _Handler(BaseHTTPRequestHandler):
    """One connection of the browser. `dist` and `archive_port` are set in the subclass each origin makes."""

    protocol_version = "HTTP/1.1"
    dist: Path
    archive_port: int

    def do_GET(self) -> None:
        if self.path.startswith("/dicom-web/"):
            self._pass_on()
        elif self.path == "/app-config.js":
            self._answer(200, _APP_CONFIG.encode(), "text/javascript")
        else:
            self._file()

    def _file(self) -> None:
        """A file of OHIF's; any other path is a page of the application, which finds its way by itself."""
        path = (self.dist / self.path.split("?")[0].lstrip("/")).resolve()
        if not (path.is_relative_to(self.dist) and path.is_file()):
            if path.suffix:
                return self._answer(404, b"", "text/plain")
            path = self.dist / "index.html"
        kind = "application/wasm" if path.suffix == ".wasm" else mimetypes.guess_type(path.name)[0]
        return self._answer(200, path.read_bytes(), kind or "application/octet-stream")

    def _pass_on(self) -> None:
        """The archive's own answer. It builds its addresses from the Host header, so that one is kept."""
        connection = http.client.HTTPConnection("127.0.0.1", self.archive_port, timeout=60)
        wanted = {name: self.headers[name] for name in ("Host", "Accept") if name in self.headers}
        try:
            connection.request("GET", self.path, headers=wanted)
            answer = connection.getresponse()
            kind = answer.getheader("Content-Type", "application/octet-stream")
            self._answer(answer.status, answer.read(), kind)
        finally:
            connection.close()

    def _answer(self, status: int, body: bytes, kind: str) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        for name, value in _ISOLATION.items():
            self.send_header(name, value)
        with contextlib.suppress(ConnectionError):  # a browser that has left
            self.end_headers()
            self.wfile.write(body)

    def log_message(self, *_arguments: object) -> None:
        """Nothing: the browser's own record says what went wrong."""
