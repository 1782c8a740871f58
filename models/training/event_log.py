"""The epochs' figures as TensorBoard reads them, written without it: the node does not install it.

An event file is a row of records: length, its masked CRC-32C, the bytes of an `Event` protocol buffer, their
masked CRC-32C. Of `Event` these fields are used: wall_time (1, double), step (2, varint), file_version (3,
text), summary (5) with values (1) of tag (1, text) and simple_value (2, float).
"""

import struct
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from models.training.course import Epoch

NAME: Final = "events.out.tfevents.0.training"
_POLYNOMIAL: Final = 0x82F63B78
_SHOWN: Final = ("rate", "loss", "val_loss", "val_auc")


def write_events(epochs: Sequence[Epoch], folder: Path) -> Path:
    """The file, written anew. Times are seconds of training, not of day: `models` reads no clock."""
    path = folder / NAME
    told, passed = [_record(_double(1, 0.0) + _bytes(3, b"brain.Event:2"))], 0.0
    for epoch in epochs:
        passed += epoch.seconds
        values = b"".join(_bytes(1, _value(name, getattr(epoch, name))) for name in _SHOWN)
        told.append(_record(_double(1, passed) + _varint(2 << 3) + _varint(epoch.epoch) + _bytes(5, values)))
    path.write_bytes(b"".join(told))
    return path


def _value(name: str, value: float) -> bytes:
    return _bytes(1, f"epoch/{name}".encode()) + _varint(2 << 3 | 5) + struct.pack("<f", value)


def _record(event: bytes) -> bytes:
    length = struct.pack("<Q", len(event))
    return length + _checksum(length) + event + _checksum(event)


def _double(field: int, value: float) -> bytes:
    return _varint(field << 3 | 1) + struct.pack("<d", value)


def _bytes(field: int, value: bytes) -> bytes:
    return _varint(field << 3 | 2) + _varint(len(value)) + value


def _varint(value: int) -> bytes:
    encoded = bytearray()
    while value > 0x7F:
        encoded.append(value & 0x7F | 0x80)
        value >>= 7
    encoded.append(value)
    return bytes(encoded)


def _checksum(data: bytes) -> bytes:
    """The masked CRC-32C of the TFRecord format."""
    crc = 0xFFFFFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ _POLYNOMIAL * (crc & 1)
    crc ^= 0xFFFFFFFF
    return struct.pack("<I", ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF)
