"""What a process can give up for good, by means of the kernel: files, sockets, privileges, memory."""

from dicom_node.confinement.giving_up import (
    Protection,
    limit_memory,
    no_capabilities,
    no_core_dumps,
    no_new_privileges,
    return_large_blocks,
    taken,
)
from dicom_node.confinement.landlock import Folders

__all__ = [
    "Folders",
    "Protection",
    "limit_memory",
    "no_capabilities",
    "no_core_dumps",
    "no_new_privileges",
    "return_large_blocks",
    "taken",
]
