"""Commands about models: what there is, what reads studies, and how another one comes to read them."""

import typer

from dicom_node.cli import models_change as change
from dicom_node.cli import models_look as look
from dicom_node.cli.session import JsonOption

app = typer.Typer(
    help="Which models read studies: import one, try it in the shadow, activate it, take it back.",
    invoke_without_command=True,
    rich_markup_mode=None,
    add_completion=False,
)


@app.callback()
def models(ctx: typer.Context, as_json: JsonOption = False) -> None:
    """Which models read studies. Without a command: `models list`.

    The usual way: import FILE, shadow it for a while, diff it with the model in use, activate it. A running
    node reads the next study with it; `rollback` takes the last change back.
    """
    if ctx.invoked_subcommand is None:
        look.list_models(ctx, as_json=as_json)


app.command("list")(look.list_models)
app.command("show")(look.show)
app.command("import")(change.import_model)
app.command("export")(look.export)
app.command("verify")(look.verify)
app.command("activate")(change.activate)
app.command("rollback")(change.rollback)
app.command("shadow")(change.shadow)
app.command("retire")(change.retire)
app.command("diff")(look.diff)
