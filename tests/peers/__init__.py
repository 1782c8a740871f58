"""Other people's DICOM programs, as the tests use them. Nothing here leaves the loopback interface."""

from tests.peers.dcmtk import Ran, echoscu, storescu
from tests.peers.orthanc import Orthanc
from tests.peers.presence import free_port, require, until
from tests.peers.validators import PixelMedVerdict, dciodvfy, dsrdump, pixelmed

__all__ = [
    "Orthanc",
    "PixelMedVerdict",
    "Ran",
    "dciodvfy",
    "dsrdump",
    "echoscu",
    "free_port",
    "pixelmed",
    "require",
    "storescu",
    "until",
]
