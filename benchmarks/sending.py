"""Studies to send, DCMTK's storescu to send them with, and a sender of our own that times each answer."""

import multiprocessing
import os
import socket
import struct
import subprocess
import time
from pathlib import Path

from pydicom import dcmread
from pydicom.uid import ExplicitVRLittleEndian
from pynetdicom import AE, build_context

from benchmarks.receivers import installed
from pipeline.phantom import Layout, Scan, draw_heart, render, write_dicom

SCAN = Scan(slices=12, phases=25, matrix=(256, 256), spacing_mm=1.4)
"""300 images of 133 kB."""

_MR_IMAGE = "1.2.840.10008.5.1.4.1.1.4"
_META_LENGTH_AT = 140
_LONGEST_BYTES = 131_072
_P_DATA_TF = 4
_RELEASE_RQ = bytes([5, 0, 0, 0, 0, 4, 0, 0, 0, 0])


def write_studies(folder: Path, number: int, images: int) -> list[list[Path]]:
    """So many studies of as many images: a simulated one, each time with other UIDs of the same length."""
    model = folder / "model"
    model.mkdir()
    files = write_dicom(render(draw_heart(7, scar=True), SCAN), model, Layout.GE)[:images]
    study = str(dcmread(files[0], stop_before_pixels=True).StudyInstanceUID).encode()
    contents = [(path.read_bytes(), _instance(path).encode()) for path in files]
    studies = []
    for copy in range(number):
        home = folder / f"study-{copy}"
        home.mkdir()
        paths = []
        for index, (content, instance) in enumerate(contents):
            changed = content.replace(instance, _other(instance, copy)).replace(study, _other(study, copy))
            paths.append(home / f"{index:04d}.dcm")
            paths[-1].write_bytes(changed)
        studies.append(paths)
    return studies


def _instance(path: Path) -> str:
    return str(dcmread(path, stop_before_pixels=True).SOPInstanceUID)


def _other(uid: bytes, copy: int) -> bytes:
    return uid[:-2] + b"%02d" % (10 + copy) if copy else uid


def send(port: int, studies: list[list[Path]]) -> float:
    """Send every study by a storescu of its own, all at once; seconds until the last has ended.

    Raises:
        RuntimeError: an object was not taken.
    """
    environment = {**os.environ, "TCP_NODELAY": "1"}
    begun = time.perf_counter()
    senders = [
        subprocess.Popen(  # noqa: S603 - our own words
            [installed("storescu"), "-aec", "DICOMNODE", "127.0.0.1", str(port), *map(str, study)],
            env=environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        for study in studies
    ]
    codes = [sender.wait() for sender in senders]
    took_s = time.perf_counter() - begun
    if any(codes):
        raise RuntimeError(f"storescu ended with {codes}")
    return took_s


def answer_times(port: int, studies: list[list[Path]]) -> list[float]:
    """Seconds from each object's last byte to its answer; one process per study, all at once."""
    with multiprocessing.get_context("fork").Pool(len(studies)) as pool:
        found = pool.starmap(_answer_times, [(port, study) for study in studies])
    return [one for times in found for one in times]


def _answer_times(port: int, study: list[Path]) -> list[float]:
    opened = AE("BENCH").associate(
        "127.0.0.1", port, [build_context(_MR_IMAGE, ExplicitVRLittleEndian)], ae_title="DICOMNODE"
    )
    opened._reactor_checkpoint.clear()  # pynetdicom negotiates, and then lets go of the socket
    opened.dul.kill_dul()
    opened.dul.join()
    wrapped = opened.dul.socket
    assert wrapped is not None
    assert wrapped.socket is not None
    wire = wrapped.socket
    wire.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    wire.settimeout(60)
    longest_bytes = opened.acceptor.maximum_length or _LONGEST_BYTES
    messages = [_message(path, number + 1, longest_bytes) for number, path in enumerate(study)]
    times = []
    for message in messages:
        wire.sendall(message)
        begun = time.perf_counter()
        _read(wire, int.from_bytes(_read(wire, 6)[2:], "big"))
        times.append(time.perf_counter() - begun)
    wire.sendall(_RELEASE_RQ)
    _read(wire, len(_RELEASE_RQ))
    wire.close()
    return times


def _read(wire: socket.socket, length: int) -> bytes:
    said = b""
    while len(said) < length:
        more = wire.recv(length - len(said))
        if not more:
            raise ConnectionError("the receiver hung up")
        said += more
    return said


def _message(path: Path, message_id: int, longest_bytes: int) -> bytes:
    content = path.read_bytes()
    dataset = content[_META_LENGTH_AT + 4 + int.from_bytes(content[_META_LENGTH_AT:][:4], "little") :]
    size = min(longest_bytes, _LONGEST_BYTES) - 6
    pieces = [dataset[begin : begin + size] for begin in range(0, len(dataset), size)]
    last = len(pieces) - 1
    return _pdu(3, _command(message_id, _instance(path))) + b"".join(
        _pdu(2 if index == last else 0, piece) for index, piece in enumerate(pieces)
    )


def _command(message_id: int, instance: str) -> bytes:
    values = {
        0x0002: _MR_IMAGE.encode() + b"\0",
        0x0100: struct.pack("<H", 1),
        0x0110: struct.pack("<H", message_id),
        0x0700: bytes(2),
        0x0800: bytes(2),
        0x1000: instance.encode() + b"\0" * (len(instance) % 2),
    }
    body = b"".join(struct.pack("<HHL", 0, number, len(value)) + value for number, value in values.items())
    return struct.pack("<HHLL", 0, 0, 4, len(body)) + body


def _pdu(control: int, value: bytes) -> bytes:
    return struct.pack(">BBLLBB", _P_DATA_TF, 0, len(value) + 6, len(value) + 2, 1, control) + value
