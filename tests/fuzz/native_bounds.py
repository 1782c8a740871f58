"""`python -m tests.fuzz.native_bounds --inputs N --seed S`: the way in C under AddressSanitizer and UBSan.

First its reading alone, each input in a block of its own size, cut off wherever; then a tenth as many inputs
played to the whole module (see tests.fuzz.native), which is built anew for it. `--only i` has input i read alone.
"""

import argparse
import contextlib
import os
import random
import struct
import subprocess
import sys
import sysconfig
from pathlib import Path
from tempfile import TemporaryDirectory

from dicom_node.receiver.store_command import request_command
from tests.fuzz.conversations import INSTANCE, MR_IMAGE, SYNTAXES, data_set
from tests.fuzz.mutations import spoiled_bytes
from tests.fuzz.native_streams import EXPLICIT, IMPLICIT, Rng, native_stream
from tests.fuzz.streams import P_DATA, Pdu, Pdv, encoded

HERE = Path(__file__).parent
SOURCES = HERE.parents[1] / "dicom_node" / "receiver" / "native"
_SANITIZED = (
    "-fsanitize=address,undefined",
    "-fno-sanitize-recover=all",
    "-fno-omit-frame-pointer",
    "-O1",
    "-g",
)
_HEAD = struct.Struct("=LLL")
_PLAYED = 10
_COMMAND = request_command(1, MR_IMAGE, INSTANCE)
_QUIET = {"ASAN_OPTIONS": "detect_leaks=0:abort_on_error=1:quarantine_size_mb=16:malloc_context_size=8"}


def main() -> int:
    """Build and play; 1 if a sanitizer has found something."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz.native_bounds", description=__doc__)
    parser.add_argument("--inputs", type=int, default=200_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", type=int, help="have this input read, and none played")
    given = parser.parse_args()
    numbers = range(given.inputs) if given.only is None else range(given.only, given.only + 1)
    with TemporaryDirectory() as folder:
        failed = read_alone(Path(folder), numbers, given.seed)
        if failed or given.only is not None:
            return failed
        return played(Path(folder), given.inputs // _PLAYED, given.seed)


def read_alone(folder: Path, numbers: range, seed: int) -> int:
    """Have the harness read these inputs; 1 if it broke off, having said at which of them."""
    program = folder / "native_bounds"
    compiled(program, HERE / "native_bounds.c", SOURCES / "message.c", options=(f"-I{SOURCES}",))
    reader = subprocess.Popen([program, str(numbers.start)], stdin=subprocess.PIPE)
    assert reader.stdin is not None
    with contextlib.suppress(BrokenPipeError), reader.stdin as inputs:
        for number in numbers:
            inputs.write(bounded_input(random.Random(f"{seed}/{number}")))
    if reader.wait() == 0:
        return 0
    sys.stdout.write(f"it broke off; again: --seed {seed} --only that number\n")
    return 1


def bounded_input(rng: Rng) -> bytes:
    """Any stream, or a message whose data set is spoiled anywhere, with what the harness wants to know."""
    whole = native_stream(rng) if rng.random() < 0.6 else _spoiled_message(rng)
    if rng.random() < 0.6:
        whole = whole[: rng.randrange(len(whole) + 1)]
    longest = rng.choice((1 << 20, 1 << 24, 1000, len(whole), len(whole) + 1))
    return _HEAD.pack(len(whole), longest, rng.random() < 0.5) + whole


def _spoiled_message(rng: Rng) -> bytes:
    """So little is wrong around the data set that its header is read; it ends where the block ends."""
    number = rng.randrange(2)
    command = Pdv((EXPLICIT, IMPLICIT)[number], 3, _COMMAND)
    if rng.random() < 0.2:
        command.value = command.value[: rng.randrange(len(_COMMAND))]
        return encoded([Pdu(P_DATA, parts=[command])])
    whole = data_set(SYNTAXES[number])
    whole = whole[: rng.randrange(len(whole) + 1)] if rng.random() < 0.5 else spoiled_bytes(whole, rng)
    return encoded([Pdu(P_DATA, parts=[command, Pdv(command.context_id, 2, whole)])])


def played(folder: Path, inputs: int, seed: int) -> int:
    """Play so many inputs to the whole module; how that ended."""
    module = folder / "_native.so"
    headers = sysconfig.get_path("include")
    files = (SOURCES / name for name in ("message.c", "draft.c", "journal.c", "journal_object.c", "lane.c"))
    compiled(module, *files, options=("-shared", "-fPIC", f"-I{headers}", "-lcrypto"))
    found = subprocess.run(
        ["gcc", "-print-file-name=libasan.so"], capture_output=True, encoding="utf-8", check=True
    )
    command = ["-m", "tests.fuzz.native", f"--inputs={inputs}", f"--seed={seed}", f"--module={module}"]
    environment = {**os.environ, **_QUIET, "LD_PRELOAD": found.stdout.strip()}
    return subprocess.run([sys.executable, *command], env=environment, check=False).returncode


def compiled(target: Path, *files: Path, options: tuple[str, ...]) -> None:
    """Build with sanitizers.

    Raises:
        CalledProcessError: it cannot be built.
    """
    subprocess.run(["gcc", *_SANITIZED, "-Wall", "-Wextra", *files, *options, "-o", target], check=True)


if __name__ == "__main__":
    sys.exit(main())
