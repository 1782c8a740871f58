"""The node's handle on its receiver: a process of its own, so that no model shares its interpreter lock."""

import contextlib
import json
import queue
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Self

from dicom_node import config_sections
from dicom_node.archive.commitment_requests import requests_beside
from dicom_node.config_sections import ReceiveSettings, TlsSettings
from dicom_node.errors import ReceiverFailed
from dicom_node.receiver.settings import Caller, ReceiverSettings

_MEGABYTE = 1_000_000
_MOST_EVENTS = 100_000
_START_S = 60.0
_MOST_EXPECTED = 20_000


def receiver_settings(receive: ReceiveSettings, archive_root: Path, tls: TlsSettings) -> ReceiverSettings:
    """What config.yaml says about receiving, in the receiver's own terms."""
    return ReceiverSettings(
        archive=str(archive_root),
        requests=str(requests_beside(archive_root)),
        reserve_bytes=receive.disk_reserve_mb * _MEGABYTE,
        ae_title=receive.ae_title,
        host=receive.host,
        port=receive.port,
        require_called_ae=receive.require_called_ae,
        callers=tuple(_caller(caller) for caller in receive.callers),
        max_associations=receive.max_associations,
        max_object_bytes=receive.max_object_mb * _MEGABYTE,
        journal_bytes=receive.journal_mb * _MEGABYTE,
        idle_timeout_s=receive.idle_timeout_s,
        discard=receive.other_objects == "discard",
        tls=receive.tls,
        certificate=str(tls.certificate or ""),
        key=str(tls.key or ""),
        authorities=str(tls.authorities or ""),
        confined=receive.confined,
    )


def _caller(caller: config_sections.Caller) -> Caller:
    return Caller(
        caller.ae_title,
        str(caller.ip or ""),
        caller.max_associations or 0,
        (caller.max_object_mb or 0) * _MEGABYTE,
        caller.max_objects_per_s or 0.0,
    )


class ReceiverProcess:
    """Starts, hears and stops one receiver. If it dies, `events` says so; `start` may be called again.

    `events` holds what the receiver says, oldest first, as dicts with the key "event":
    "stored", "postponed", "reported", "commitment-asked", "commitment-told", "closed", "refused", "missed",
    "log", and at its end "ended" with its exit "code".
    """

    def __init__(self, receive: ReceiveSettings, archive_root: Path, tls: TlsSettings | None = None) -> None:
        self._settings = receiver_settings(receive, archive_root, tls or TlsSettings())
        # bounded: if nobody reads, the receiver itself drops hints and counts them
        self.events: queue.Queue[dict[str, Any]] = queue.Queue(_MOST_EVENTS)
        self._process: subprocess.Popen[bytes] | None = None
        self._reader = threading.Thread()
        self._port = 0
        self._expected: deque[str] = deque(maxlen=_MOST_EXPECTED)
        self._telling = threading.Lock()

    @property
    def port(self) -> int:
        """The port it listens on; the one of the settings, or a free one if that is 0."""
        return self._port

    @property
    def alive(self) -> bool:
        """Whether the process runs."""
        return self._process is not None and self._process.poll() is None

    @property
    def pid(self) -> int:
        """Its process number; 0 before it was started."""
        return self._process.pid if self._process else 0

    def start(self) -> None:
        """Start the process and wait until it listens.

        Raises:
            ReceiverFailed: the port is taken, the address is not ours, or it died.
        """
        process = subprocess.Popen(
            [sys.executable, "-P", "-m", "dicom_node.receiver.confined"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            process_group=0,  # Ctrl-C in our terminal reaches us alone; see analysis/worker_process.py
        )
        first: queue.Queue[dict[str, Any]] = queue.Queue()
        self._reader = threading.Thread(
            target=self._forward, args=(process, first), name="receiver events", daemon=True
        )
        self._reader.start()
        with self._telling:
            expected = b"".join(_expectation(uid) for uid in self._expected)
            _tell(process, self._settings.as_json().encode() + expected)
            self._process = process
        try:
            event = first.get(timeout=_START_S)
        except queue.Empty:
            event = {"reason": f"the receiver process said nothing for {_START_S:.0f} s"}
        if event.get("event") != "listening":
            self.stop(timeout_s=0.0)
            raise ReceiverFailed(str(event.get("reason", "the receiver process ended at once")))
        # a free port, once found, stays ours after a restart: senders have been told
        self._port = int(event["port"])
        self._settings = replace(self._settings, port=self._port)

    def expect(self, transaction_uid: str) -> None:
        """A report on this transaction may come; a receiver started later is told, too."""
        with self._telling:
            self._expected.append(transaction_uid)
            if self._process is not None:
                _tell(self._process, _expectation(transaction_uid))

    def tell(self, name: str, association: str, failed: Mapping[str, int]) -> None:
        """Report on a request for commitment where it came from; "commitment-told" says how that went."""
        line = {"tell": {"name": name, "association": association, "failed": dict(failed)}}
        with self._telling:
            if self._process is not None:
                _tell(self._process, json.dumps(line).encode() + b"\n")

    def stop(self, timeout_s: float = 40.0) -> None:
        """Let it answer what it is storing, then end it; kill it if that takes longer than `timeout_s`."""
        process = self._process
        if process is None:
            return
        _hang_up(process)
        try:
            process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        self._reader.join()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _forward(self, process: subprocess.Popen[bytes], first: queue.Queue[dict[str, Any]]) -> None:
        assert process.stdout is not None
        listening = False
        with process.stdout as lines:
            for line in lines:
                event = json.loads(line)
                if event["event"] in ("listening", "failed"):
                    listening = event["event"] == "listening"
                    first.put(event)
                else:
                    self.events.put(event)
        ended = {"event": "ended", "code": process.wait()}
        with self._telling:
            _hang_up(process)
        first.put(ended)
        if listening:  # else `start` says so
            self.events.put(ended)


def _expectation(transaction_uid: str) -> bytes:
    return json.dumps({"expect": transaction_uid}).encode() + b"\n"


def _hang_up(process: subprocess.Popen[bytes]) -> None:
    assert process.stdin is not None
    with contextlib.suppress(BrokenPipeError):
        process.stdin.close()


def _tell(process: subprocess.Popen[bytes], line: bytes) -> None:
    assert process.stdin is not None
    # a process that died cannot read, and one that was stopped has its end of the pipe closed
    with contextlib.suppress(BrokenPipeError, ValueError):
        process.stdin.write(line)
        process.stdin.flush()
