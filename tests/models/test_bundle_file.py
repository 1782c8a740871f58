"""A model as one file: the same bytes for the same model, and nothing believed that is not proved."""

import io
import json
import stat
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

from models import WeightsCorrupt, read_manifest
from models.bare_weights import bundle_from_weights
from models.bundle_contents import LIMITS, bundle_digest, digest_list
from models.bundle_file import MAX_BUNDLE_BYTES, Bundle, bundle_from_folder, pack, read_bundle, read_unpacked
from models.golden import Golden, golden_of, read_golden
from tests.e2e.light_bundle import light_bundle

Repacked = Callable[..., Path]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A light bundle as training leaves one, with a card and two golden studies."""
    folder = light_bundle(tmp_path_factory.mktemp("trained") / "bundle", golden=2)
    (folder / "card.md").write_text("# LIGHT\n\nFor nothing.\n")
    return folder


@pytest.fixture(scope="module")
def bundle(folder: Path) -> Bundle:
    return bundle_from_folder(folder)


@pytest.fixture
def repacked(bundle: Bundle, tmp_path: Path) -> Repacked:
    """`repacked({name: bytes})`: the bundle's file with members replaced, added, or left out (None)."""

    def write(changes: dict[str, bytes | None] | None = None, method: int = zipfile.ZIP_STORED) -> Path:
        path = tmp_path / "one.bundle"
        with zipfile.ZipFile(path, "w", method) as archive:
            for name, data in {**bundle.files, **(changes or {})}.items():
                if data is not None:
                    archive.writestr(name, data)
        return path

    return write


def keys(tmp_path: Path, name: str) -> tuple[Path, Path]:
    """A new pair: the files of the private and of the public key."""
    private, public = tmp_path / f"{name}.pem", tmp_path / f"{name}.pub"
    key = Ed25519PrivateKey.generate()
    private.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    public.write_bytes(key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
    return private, public


def test_what_is_packed_is_what_is_read_and_the_same_model_gives_the_same_bytes(
    folder: Path, bundle: Bundle, tmp_path: Path
) -> None:
    path = tmp_path / "one.bundle"
    path.write_bytes(pack(bundle))
    found = read_bundle(path)
    assert (found.manifest, found.digest, found.signer, found.signed) == (
        *(read_manifest(folder), bundle.digest, "", False),
    )
    assert dict(found.files) == dict(bundle.files)
    assert found.card == "# LIGHT\n\nFor nothing.\n"
    assert pack(found) == pack(bundle_from_folder(folder)) == path.read_bytes()


def test_its_digests_are_such_as_sha256sum_checks(bundle: Bundle) -> None:
    lines = bundle.files["SHA256SUMS"].decode().splitlines()
    assert [line.split("  ")[1] for line in lines] == [
        "card.md",
        "golden.npz",
        "manifest.json",
        "weights.keras",
    ]
    assert bundle.digest == bundle_digest(digest_list(bundle.files))


def test_a_packed_member_may_be_deflated(repacked: Repacked, bundle: Bundle) -> None:
    assert read_bundle(repacked(method=zipfile.ZIP_DEFLATED)).digest == bundle.digest


@pytest.mark.parametrize("name", ["weights.keras", "manifest.json", "golden.npz", "card.md"])
def test_a_part_that_is_not_what_its_digest_says_is_refused(
    repacked: Repacked, bundle: Bundle, name: str
) -> None:
    with pytest.raises(WeightsCorrupt, match=f"{name} is not the file its digest names"):
        read_bundle(repacked({name: bundle.files[name] + b" "}))


@pytest.mark.parametrize("name", ["SHA256SUMS", "manifest.json", "weights.keras"])
def test_without_a_part_that_every_bundle_has_it_is_none(repacked: Repacked, name: str) -> None:
    with pytest.raises(WeightsCorrupt, match=f"holds no {name}"):
        read_bundle(repacked({name: None}))


def test_a_part_that_was_taken_away_is_missed(repacked: Repacked) -> None:
    with pytest.raises(WeightsCorrupt, match=r"do not agree on golden\.npz"):
        read_bundle(repacked({"golden.npz": None}))


@pytest.mark.parametrize("text", [b"", b"nonsense", b"0" * 64 + b"  ../../etc/passwd\n", b"\xff" * 70])
def test_a_list_that_is_none_is_refused(repacked: Repacked, text: bytes) -> None:
    with pytest.raises(WeightsCorrupt, match=r"do not agree on|is no list of a bundle's digests"):
        read_bundle(repacked({"SHA256SUMS": text}))


@pytest.mark.parametrize("name", ["../weights.keras", "/etc/passwd", "a/manifest.json", "code.py", "C:\\x"])
def test_a_name_that_belongs_to_no_bundle_is_refused_before_anything_is_unpacked(
    repacked: Repacked, name: str
) -> None:
    with pytest.raises(WeightsCorrupt, match="belongs to no bundle"):
        read_bundle(repacked({name: b"x"}))


def test_a_name_with_something_behind_its_end_is_refused(repacked: Repacked) -> None:
    path = repacked({"card.md": None, "card.md?.exe": b"x"})
    path.write_bytes(path.read_bytes().replace(b"card.md?", b"card.md\0"))
    with pytest.raises(WeightsCorrupt, match="belongs to no bundle"):
        read_bundle(path)


def test_a_member_that_is_there_twice_is_refused(bundle: Bundle, tmp_path: Path) -> None:
    path = tmp_path / "twice.bundle"
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in bundle.files.items():
            archive.writestr(name, data)
        with pytest.warns(UserWarning, match="Duplicate name"):
            archive.writestr("manifest.json", b"{}")
    with pytest.raises(WeightsCorrupt, match=r"holds 'manifest\.json' twice"):
        read_bundle(path)


def test_a_link_is_not_followed(bundle: Bundle, tmp_path: Path) -> None:
    path = tmp_path / "link.bundle"
    link = zipfile.ZipInfo("card.md")
    link.create_system, link.external_attr = 3, (stat.S_IFLNK | 0o777) << 16
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in bundle.files.items():
            archive.writestr(
                link if name == "card.md" else name, b"/etc/passwd" if name == "card.md" else data
            )
    with pytest.raises(WeightsCorrupt, match=r"card\.md is a link"):
        read_bundle(path)


@pytest.mark.parametrize("name", sorted(LIMITS))
def test_a_bomb_is_refused_by_what_it_says_of_itself(repacked: Repacked, name: str) -> None:
    bomb = b"0" * (LIMITS[name] + 1)
    path = repacked({name: bomb}, zipfile.ZIP_DEFLATED)
    assert path.stat().st_size < 1_000_000
    with pytest.raises(WeightsCorrupt, match=f"{name} unpacks to more than"):
        read_bundle(path)


def test_a_bomb_that_lies_about_its_size_does_not_unpack_further(repacked: Repacked) -> None:
    path = repacked({"card.md": b"0" * (LIMITS["card.md"] + 1)}, zipfile.ZIP_DEFLATED)
    honest, lie = struct.pack("<L", LIMITS["card.md"] + 1), struct.pack("<L", 100)
    path.write_bytes(path.read_bytes().replace(honest, lie))
    with pytest.raises(WeightsCorrupt, match="no model bundle"):
        read_bundle(path)


def test_a_file_of_enormous_size_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "large.bundle"
    with path.open("wb") as file:
        file.truncate(MAX_BUNDLE_BYTES + 1)
    with pytest.raises(WeightsCorrupt, match="no part of a model bundle"):
        read_bundle(path)


def test_an_encrypted_member_is_refused(repacked: Repacked) -> None:
    path = repacked()
    data = bytearray(path.read_bytes())
    data[data.rindex(b"PK\x01\x02") + 8] |= 1
    path.write_bytes(data)
    with pytest.raises(WeightsCorrupt, match="encrypted"):
        read_bundle(path)


def test_wherever_it_is_cut_off_it_is_refused(bundle: Bundle, tmp_path: Path) -> None:
    whole, path = pack(bundle), tmp_path / "cut.bundle"
    for length in (0, 1, 30, len(whole) // 2, len(whole) - 22, len(whole) - 1):
        path.write_bytes(whole[:length])
        with pytest.raises(WeightsCorrupt, match="cut off, or no model bundle"):
            read_bundle(path)


def test_whatever_byte_is_changed_nothing_else_is_ever_read(bundle: Bundle, tmp_path: Path) -> None:
    whole, path = pack(bundle), tmp_path / "flipped.bundle"
    places = np.random.default_rng(0).integers(0, len(whole), 300)
    for place in places:
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 0x55]) + whole[place + 1 :])
        try:
            found = read_bundle(path)
        except WeightsCorrupt:
            continue
        assert dict(found.files) == dict(bundle.files)  # a date, or a comment


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(WeightsCorrupt, match="there is no file"):
        read_bundle(tmp_path / "nowhere")


def test_where_keys_are_trusted_only_what_one_of_them_signed_is_taken(bundle: Bundle, tmp_path: Path) -> None:
    ours, trusted = keys(tmp_path, "ours")
    theirs, _ = keys(tmp_path, "theirs")
    signed, path = pack(bundle, ours), tmp_path / "signed.bundle"
    path.write_bytes(signed)
    assert signed == pack(bundle, ours)
    assert len(read_bundle(path, [trusted]).signer) == 64
    assert (read_bundle(path).signer, read_bundle(path).digest) == ("", bundle.digest)
    path.write_bytes(pack(bundle))
    with pytest.raises(WeightsCorrupt, match=r"is not signed: model\.trusted_keys"):
        read_bundle(path, [trusted])
    path.write_bytes(pack(bundle, theirs))
    with pytest.raises(WeightsCorrupt, match="is signed by somebody else"):
        read_bundle(path, [trusted])


def test_a_key_that_is_none_is_named(bundle: Bundle, tmp_path: Path) -> None:
    ours, trusted = keys(tmp_path, "ours")
    path = tmp_path / "signed.bundle"
    path.write_bytes(pack(bundle, ours))
    other = tmp_path / "ec.pub"
    public = generate_private_key(SECP256R1()).public_key()
    other.write_bytes(public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
    with pytest.raises(WeightsCorrupt, match="no Ed25519 key"):
        read_bundle(path, [other])
    with pytest.raises(WeightsCorrupt, match="no public key"):
        read_bundle(path, [ours])
    with pytest.raises(WeightsCorrupt, match="no private key"):
        pack(bundle, trusted)
    with pytest.raises(WeightsCorrupt, match="cannot be read"):
        pack(bundle, tmp_path / "none")


def test_an_unpacked_bundle_is_compared_with_its_list(bundle: Bundle, tmp_path: Path) -> None:
    for name, data in bundle.files.items():
        (tmp_path / name).write_bytes(data)
    assert read_unpacked(tmp_path).digest == bundle.digest
    (tmp_path / "card.md").write_text("better")
    with pytest.raises(WeightsCorrupt, match=r"card\.md is not the file"):
        read_unpacked(tmp_path)


def test_golden_studies_that_are_none_are_refused(folder: Path) -> None:
    found = read_golden(folder)
    assert found is not None
    assert found.cine.shape == (2, 4, 2, 16, 16)
    for arrays in (
        {"cine": found.cine},
        {"cine": found.cine, "probability": np.array([0.5, 1.5])},
        {"cine": found.cine[0], "probability": found.probability},
        {"cine": np.array([object()]), "probability": found.probability},
    ):
        packed = io.BytesIO()
        np.savez(packed, allow_pickle=True, **arrays)
        with pytest.raises(WeightsCorrupt, match="holds no golden studies"):
            golden_of(packed.getvalue(), "it")
    with pytest.raises(WeightsCorrupt, match="holds no golden studies"):
        golden_of(b"PK", "it")
    assert isinstance(found, Golden)


def test_bare_weights_become_a_bundle_by_a_contract_without_digests(folder: Path, tmp_path: Path) -> None:
    contract = json.loads((folder / "manifest.json").read_text())
    del contract["weights_sha256"], contract["preprocessing_sha256"]
    path = tmp_path / "contract.json"
    path.write_text(json.dumps(contract))
    made = bundle_from_weights(folder / "weights.keras", path)
    assert made.manifest == read_manifest(folder)
    assert sorted(made.files) == ["SHA256SUMS", "manifest.json", "weights.keras"]
    path.write_text(json.dumps(contract | {"weights_sha256": "0" * 64}))
    with pytest.raises(WeightsCorrupt, match="is not the file its manifest names"):
        bundle_from_weights(folder / "weights.keras", path)
    for text, reason in (
        ("[]", "is no contract"),
        ("{", "is no contract"),
        ("{}", "needs the preprocessing"),
    ):
        path.write_text(text)
        with pytest.raises(WeightsCorrupt, match=reason):
            bundle_from_weights(folder / "weights.keras", path)
