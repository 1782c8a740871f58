"""A check that `models`, `pipeline` and `reports` are ours, before anything imports them."""

from importlib import util
from pathlib import Path

import dicom_node
from dicom_node.errors import ForeignPackage

SIBLINGS = ("pipeline", "models", "reports")


def check_siblings() -> None:
    """Refuse to start where another distribution's package stands in the place of one of ours.

    The names are short on purpose (docs/adr/0001), so in a crowded environment a stranger may hold them.

    Raises:
        ForeignPackage: `models`, `pipeline` or `reports` is not the folder beside `dicom_node`.
    """
    home = Path(dicom_node.__file__).resolve().parent.parent
    for name in SIBLINGS:
        spec = util.find_spec(name)
        found = Path(spec.origin).resolve().parent if spec and spec.origin else None
        if found != home / name:
            raise ForeignPackage(
                f"the package {name!r} is taken from {found or 'nowhere'}, not from {home / name}; "
                "install dicom-node in an environment of its own and unset PYTHONPATH"
            )
