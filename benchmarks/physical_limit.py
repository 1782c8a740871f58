"""What no receiver can outdo here: the same bytes over the loopback and onto the disk, and no DICOM."""

import os
import socket
import threading
import time
from pathlib import Path

_ACKNOWLEDGED = b"k"


def images_per_s(folder: Path, images: int, size_bytes: int) -> float:
    """Each object sent, received, written, fdatasync, renamed, acknowledged; then the next."""
    folder.mkdir()
    with socket.create_server(("127.0.0.1", 0)) as listening:
        receiving = threading.Thread(target=_receive, args=(listening, folder, images, size_bytes))
        receiving.start()
        with socket.create_connection(listening.getsockname()) as sending:
            sending.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            content = os.urandom(size_bytes)
            begun = time.perf_counter()
            for _ in range(images):
                sending.sendall(content)
                sending.recv(1)
            took_s = time.perf_counter() - begun
        receiving.join()
    return images / took_s


def _receive(listening: socket.socket, folder: Path, images: int, size_bytes: int) -> None:
    connection, _ = listening.accept()
    with connection, memoryview(bytearray(size_bytes)) as room:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        temporary = folder / "part"
        for number in range(images):
            received = 0
            while received < size_bytes:
                received += connection.recv_into(room[received:])
            with temporary.open("wb", buffering=0) as file:
                file.write(room)
                os.fdatasync(file.fileno())
            temporary.rename(folder / str(number))
            connection.sendall(_ACKNOWLEDGED)
