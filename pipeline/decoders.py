"""Which pixel encodings this installation can read."""

from pydicom.pixels.decoders.base import get_decoder
from pydicom.uid import UID


def decodable(transfer_syntax_uid: str) -> bool:
    """Whether pixels in this transfer syntax (PS3.5 Annex A) can be decoded with what is installed."""
    uid = UID(transfer_syntax_uid)
    return not uid.is_encapsulated or get_decoder(uid).is_available
