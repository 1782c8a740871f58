"""Commands that look at models, and change nothing: list, show, export, verify, diff."""

from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import typer

from dicom_node.cli.audit import record
from dicom_node.cli.models_desk import Desk, open_desk, told, tried
from dicom_node.cli.models_view import (
    configured_row,
    print_agreement,
    print_history,
    print_manifest,
    print_rows,
    row_of,
    shown,
)
from dicom_node.cli.session import Exit, JsonOption, err, out, print_json, reported, session
from dicom_node.errors import NotNow
from dicom_node.from_settings import readers_of
from dicom_node.operate.model_diff import paired, speaker
from dicom_node.operate.try_model import try_model
from dicom_node.store.model_records import CONFIGURED
from models.agreement import agreement
from models.bundle_file import pack

WhichArgument = Annotated[
    str,
    typer.Argument(
        help="A name, NAME:VERSION, or the beginning of a reference, as `models list` prints them; "
        "`configured` is the model of config.yaml."
    ),
]


def list_models(ctx: typer.Context, as_json: JsonOption = False) -> None:
    """Every model, how it stands, and which read studies.

    `configured` is the model that config.yaml names, or that ships with the node: it reads until another one
    is activated.
    """
    with reported(), open_desk(session(ctx).settings, looking=True) as desk:
        lineup = desk.lineup
        rows = [_row(desk, CONFIGURED), *map(row_of, desk.imported)]
    rows.sort(key=lambda row: lineup.index(row["reference"]) if row["reference"] in lineup else len(lineup))
    if as_json:
        print_json({"reads": list(lineup), "models": rows})
    else:
        print_rows(rows, lineup)


def show(
    ctx: typer.Context,
    which: Annotated[str | None, typer.Argument(help="As for `activate`. Default: what reads first.")] = None,
    as_json: JsonOption = False,
) -> None:
    """All about one model: its manifest, its card, who did what with it."""
    with reported(), open_desk(session(ctx).settings, looking=True) as desk:
        digest = desk.lineup[0] if which is None else desk.find(which)
        reader, row = desk.reader(digest), _row(desk, digest)
        card, acts, shadowed = desk.card(digest), desk.acts(digest), desk.shadowed(digest)
    if as_json:
        print_json(shown(row, reader.manifest, card, acts, shadowed))
        return
    print_manifest(reader.manifest, reader.threshold)
    if card:
        out.rule("card")
        out.print(card, markup=False, highlight=False)
    if digest != CONFIGURED:
        print_history(acts, shadowed)


def _row(desk: Desk, digest: str) -> dict[str, Any]:
    """One model as the list has it."""
    if digest == CONFIGURED:
        return configured_row(desk.reader(CONFIGURED), CONFIGURED in desk.lineup)
    return row_of(desk.registry.model(digest))


def export(
    ctx: typer.Context,
    which: Annotated[
        str, typer.Argument(help="As for `activate`; or a bundle's folder, as training left it.")
    ],
    path: Annotated[Path, typer.Argument(help="The file to write.", metavar="FILE", dir_okay=False)],
    key: Annotated[
        Path | None,
        typer.Option(help="Sign it with this private key (Ed25519, PEM, without a passphrase)."),
    ] = None,
) -> None:
    """Write a model as one file, for another node. The same model gives the same bytes.

    A file that holds something else is not overwritten. A key is made by `openssl genpkey -algorithm ed25519
    -out key.pem`, and what other nodes name under model.trusted_keys by `openssl pkey -in key.pem -pubout`.
    """
    with reported(), open_desk(session(ctx).settings, looking=True) as desk:
        bundle = desk.bundle(which)
        data = pack(bundle, key)
        if path.exists() and path.read_bytes() != data:
            raise NotNow(f"{path} holds something else; it is left as it is")
        record(desk.settings, "models-export", bundle.digest, f"to {path.resolve()}")
        path.write_bytes(data)
    out.print(f"{bundle.manifest.name} {bundle.manifest.version} in {path}", highlight=False)


def verify(
    ctx: typer.Context,
    which: Annotated[str | None, typer.Argument(help="As for `activate`. Default: all that read.")] = None,
) -> None:
    """Compare every digest again, and ask the golden studies again. Exit code 1 if anything differs."""
    with reported(), open_desk(session(ctx).settings, looking=True) as desk:
        for digest in desk.lineup if which is None else (desk.find(which),):
            desk.check(digest)
            trial = tried(partial(try_model, desk.settings, desk.reader(digest).folder))
            out.print(f"{desk.called(digest)}: every digest is right; {told(trial)}", highlight=False)


def diff(
    ctx: typer.Context,
    first: WhichArgument,
    second: WhichArgument,
    folder: Annotated[
        Path | None, typer.Option("--out", help="Also draw it, into this folder.", file_okay=False)
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """How far two models agree on the studies that both answered, one of them or both in the shadow.

    Agreement, Cohen's kappa, the shift of the probability, and every study that they decide differently. Exit
    code 1 if there is no such study. Which of them is right, nobody can tell from this.
    """
    with reported(), open_desk(session(ctx).settings) as desk:
        readers = readers_of(desk.settings, desk.store)
        speakers = [speaker(desk.store, readers, desk.find(which)) for which in (first, second)]
        pairs = paired(desk.store, speakers[0], speakers[1])
    names = (speakers[0].called, speakers[1].called)
    found = agreement(pairs)
    if folder is not None and pairs:
        from reports.agreement_page import write_agreement

        folder.mkdir(parents=True, exist_ok=True)
        write_agreement(folder / "agreement.png", names, pairs, found)
    if as_json:
        differ = [asdict(pair) for pair in pairs if pair.positive[0] != pair.positive[1]]
        print_json({"models": names, **found.as_dict(), "disagreements": differ})
    elif pairs:
        print_agreement(names, found, pairs)
    else:
        err.print("no study was answered by both; `dicom-node models shadow` has one asked", highlight=False)
    raise typer.Exit(Exit.OK if pairs else Exit.FAILED)
