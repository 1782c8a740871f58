"""Media, character sets and security: short sections, mostly on what there is not."""

from collections.abc import Iterator

from dicom_node.statement.markdown import table
from dicom_node.tls import CIPHERS_1_2

_TEXT = """\
## 6. Media interchange

Not supported. Files in the node's own folders have the form of PS3.10, without a DICOMDIR.

## 7. Character sets

| | |
|---|---|
| Received objects | any; kept as they are, and not decoded to be stored |
| Read for results | those of PS3.5: ISO_IR 100, ISO 2022 IR 87, GB18030, ISO_IR 192 and so on |
| Created objects | ISO_IR 192 (UTF-8) |
| Language of created objects | English; (en-US, RFC5646) in structured reports |

## 8. Security
"""
_PROFILES = (
    (
        "Secure transport connection: BCP 195 (RFC 8996, RFC 9325) TLS profile",
        "yes",
        "off unless `receive.tls` or a destination's `tls` says so; use a network that you trust then",
    ),
    (
        "HTTP: Basic authentication, bearer token",
        "yes",
        "as user agent; over TLS, unless the service is on this machine",
    ),
    ("User identity negotiation", "no", "callers are told by AE title and address, `receive.callers`"),
    ("Audit trail", "no", "the node's log names studies, objects and peers, and no patient"),
    ("Digital signatures", "no", "the database keeps a SHA-256 digest of every object received"),
    (
        "Attribute confidentiality (de-identification)",
        "no",
        "what the source says of its de-identification is repeated in the results",
    ),
)
_TLS = f"""\
TLS is spoken in versions 1.2 and 1.3; with 1.2 the suites are {", ".join(CIPHERS_1_2)}. There is no
renegotiation, no compression and no falling back to an unprotected connection. As acceptor the node may
ask for a certificate (`receive.tls: mutual`); as requestor it checks the peer's certificate and the name
in it, and shows its own if asked. Certificate revocation is not checked. Replaced certificate files count
from the next connection.

"""
_END = """\
The listener is bound to this machine (`receive.host: 127.0.0.1`) until `receive.callers` says who may
send; with another address and no callers the node does not start.
"""


def security() -> Iterator[str]:
    """Sections 6 to 8."""
    yield _TEXT
    yield from table(("profile", "supported", ""), _PROFILES)
    yield _TLS
    yield _END
