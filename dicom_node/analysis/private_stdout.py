"""Standard output for answers alone: nothing that a library prints can come between two of them."""

import os
import sys
from typing import TextIO


def private_stdout() -> TextIO:
    """Our own copy of standard output; descriptor 1 leads to standard error from now on."""
    ours = os.dup(1)
    os.dup2(2, 1)
    sys.stdout = sys.stderr
    return os.fdopen(ours, "w", encoding="utf-8")
