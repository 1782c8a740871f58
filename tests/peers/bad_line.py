"""A line between two programs that can be slow, or be cut in the midst of what is said."""

import contextlib
import socket
import threading
import time
from types import TracebackType
from typing import Self


class BadLine:
    """Forwards a loopback port to another one.

    `cut_after` bytes from the caller, both ends are reset, once; `pause_s` is waited before each piece of what
    the caller says. `carried` counts the caller's bytes.
    """

    def __init__(self, to_port: int, *, cut_after: int | None = None, pause_s: float = 0.0) -> None:
        self.carried = 0
        self.cut = threading.Event()
        self._to_port = to_port
        self._cut_after = cut_after
        self._pause_s = pause_s
        self._server = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._server.getsockname()[1]
        self._threads = [threading.Thread(target=self._accept, daemon=True)]

    def __enter__(self) -> Self:
        self._threads[0].start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown(socket.SHUT_RDWR)
        self._server.close()
        for thread in self._threads:
            thread.join(30)

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                caller, _ = self._server.accept()
                try:
                    called = socket.create_connection(("127.0.0.1", self._to_port), timeout=30)
                except OSError:
                    caller.close()
                    continue
                for source, sink, counts in ((caller, called, True), (called, caller, False)):
                    thread = threading.Thread(target=self._carry, args=(source, sink, counts), daemon=True)
                    self._threads.append(thread)
                    thread.start()

    def _carry(self, source: socket.socket, sink: socket.socket, counts: bool) -> None:
        with contextlib.suppress(OSError):
            while piece := source.recv(16_384):
                if counts:
                    time.sleep(self._pause_s)
                    self.carried += len(piece)
                    if self._cut_after is not None and self.carried > self._cut_after:
                        self._cut_after = None
                        self.cut.set()
                        break
                sink.sendall(piece)
        for end in (source, sink):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()
