"""Where files lie in the archive.

Two characters of the study's hash, the study's hash, the instance's hash and the digest of its bytes. So one
UID may hold several contents, and no UID ever shapes a path.
"""

import hashlib
import re
from functools import lru_cache

_PATH = re.compile(r"[0-9a-f]{2}/[0-9a-f]{40}/[0-9a-f]{40}-[0-9a-f]{16}\.(dcm|note)")


@lru_cache(maxsize=64)
def study_folder(study_instance_uid: str) -> str:
    """Where a study's files lie, relative to the archive's root."""
    digest = _hash(study_instance_uid)
    return f"{digest[:2]}/{digest}"


def file_path(study_instance_uid: str, sop_instance_uid: str, digest: str, suffix: str) -> str:
    """Where one content of an instance lies, relative to the archive's root; `suffix` is .dcm or .note."""
    return with_digest(f"{study_folder(study_instance_uid)}/{_hash(sop_instance_uid)}", digest, suffix)


def with_digest(instance: str, digest: str, suffix: str) -> str:
    """The `file_path` that begins with `instance`, up to the instance's hash."""
    return f"{instance}-{digest[:16]}{suffix}"


def is_ours(path: str) -> bool:
    """Whether this can be a `file_path`."""
    return _PATH.fullmatch(path) is not None


def _hash(uid: str) -> str:
    return hashlib.sha256(uid.encode("utf-8", "surrogatepass")).hexdigest()[:40]
