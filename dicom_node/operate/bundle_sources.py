"""A model as a person has it: a bundle file, a folder that training left, or bare weights with a contract."""

from collections.abc import Sequence
from pathlib import Path

from models import WeightsCorrupt
from models.bare_weights import bundle_from_weights
from models.bundle_contents import DIGESTS_NAME
from models.bundle_file import Bundle, bundle_from_folder, read_bundle, read_unpacked


def bundle_at(path: Path, contract: Path | None, trusted: Sequence[Path]) -> Bundle:
    """The bundle that lies at `path`; with `contract`, made of the bare weights there.

    Raises:
        WeightsCorrupt: it is none, it is damaged, or it is not signed by one of the `trusted` keys, if any.
    """
    if contract is not None:
        if trusted:
            raise WeightsCorrupt(f"{path} is not signed: model.trusted_keys takes only bundles that are")
        return bundle_from_weights(path, contract)
    if path.is_dir():
        whole = (path / DIGESTS_NAME).exists()
        return read_unpacked(path, trusted) if whole else bundle_from_folder(path, trusted)
    if path.suffix == ".keras":
        raise WeightsCorrupt(f"{path} is bare weights: --contract FILE says what they were trained for")
    return read_bundle(path, trusted)
