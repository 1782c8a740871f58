"""What the node is for, how data flow through it, and in what order (PS3.2 Annex N, implementation model)."""

from collections.abc import Iterator

from dicom_node.archive.part10 import IMPLEMENTATION_CLASS_UID, IMPLEMENTATION_VERSION
from dicom_node.statement.markdown import code, table

_FLOW = """\
## 2. Implementation model

### 2.1 Application data flow

```mermaid
flowchart LR
  scanner([scanner, or archive that forwards]) -- "C-STORE, C-ECHO, N-ACTION" --> ae
  ae -- "N-EVENT-REPORT" --> scanner
  subgraph ae [application entity]
    receive[receive studies] --> analyse[analyse] --> deliver[deliver results]
  end
  deliver -- "C-STORE" --> archive([archive])
  deliver -- "N-ACTION, C-GET, C-FIND" --> archive
  deliver -- "STOW-RS, WADO-RS, QIDO-RS" --> web([DICOMweb service])
  archive -- "N-EVENT-REPORT" --> ae
  person([administrator]) -- "echo" --> verify[verify] -- "C-ECHO" --> archive
```

There is one application entity. It answers and asks under the same AE title, `receive.ae_title`.

### 2.2 What it does
"""
_FUNCTIONS = (
    (
        "receive studies",
        "a peer opens an association",
        "Stores each object as it came, and answers when it is safe on the disk. Objects of several "
        "associations and of several peers make one study.",
    ),
    (
        "analyse",
        "every slice has every phase; or no image came for `complete.quiet_s`",
        "Makes a volume of the short-axis cine, has the network look at it, and writes the objects of "
        "section 1.4.",
    ),
    (
        "deliver results",
        "results were written, a retry is due, or `dicom-node retry`",
        "Opens one association per study and destination and sends all its objects, the structured report "
        "first.",
    ),
    (
        "prove delivery",
        "an object was answered with Success, and `destinations[].proof` is not `none`",
        "Asks the destination, on an association of its own per study, as section 4.4 says; sends again what "
        "is missing.",
    ),
    (
        "commit to images",
        "a peer asks for storage commitment",
        "Reads the images from the disk, compares their digests with those they came with, and reports, as "
        "section 3.6 says.",
    ),
    (
        "reconcile",
        "`deliver.reconcile_every_h` after the last look at an object, or `dicom-node reconcile`",
        "Asks the destination, by C-FIND or QIDO-RS, whether it still lists what it has proved to hold.",
    ),
    ("verify", "`dicom-node echo NAME`", "Sends C-ECHO to one destination and says what came back."),
)
_SEQUENCE = """\
### 2.3 Sequence

1. The peer opens an association and sends images. The order of the images, and the number of associations
   they come on, make no difference.
2. When the study is complete, it is analysed, one study after the other. One that cannot be analysed gets a
   notice that says why, as far as `report.not_analysed` wants it.
3. Before anything leaves, every file is compared with the digest it was written with, and the patient, study
   and frame of reference it names with those of the images. If one differs, nothing of the study is sent.
4. The results go to every destination in `destinations` that accepts them (`destinations[].accepts`), to each
   on its own schedule: a destination that is down delays no other. Which ones is decided when the results are
   written down, and does not change when the configuration does.
5. An image that comes later opens the study again. The new report names the one it replaces (Predecessor
   Documents Sequence); both stay in the archive.

Every UID of a result follows from all that goes into it: the images, the model, the configuration, the
version and the time of the analysis. So one UID never stands for two contents, and sending twice does no
harm.

### 2.4 Identification
"""


def model() -> Iterator[str]:
    """Data flow, functions, sequence, identification."""
    yield _FLOW
    yield from table(("function", "begins when", "what it does"), _FUNCTIONS)
    yield _SEQUENCE
    identity = (
        ("Implementation Class UID", code(IMPLEMENTATION_CLASS_UID)),
        ("Implementation Version Name", f"{code(IMPLEMENTATION_VERSION)}: a name and the node's version"),
    )
    yield from table(("", ""), identity)
