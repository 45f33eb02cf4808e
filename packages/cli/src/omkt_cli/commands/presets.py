"""Commands about presets: what can be made, and, for operators, what more can be."""

# ruff: noqa: PLC0415 - what a command needs is imported when it runs, so that `omkt --help` is quick

from pathlib import Path
from typing import Annotated

import typer

from omkt_cli.commands.options import ROOT, Json, Key, Root, Server

commands = typer.Typer()
presets = typer.Typer(help="What can be made. Without a command: list it.", invoke_without_command=True)
commands.add_typer(presets, name="presets")


@presets.callback()
def list_presets(
    context: typer.Context, server: Server = None, key: Key = None, root: Root = ROOT, as_json: Json = False
) -> None:
    """List what can be made."""
    if context.invoked_subcommand is not None:
        return
    from omkt_cli.show import preset_table
    from omkt_cli.terminal import out, print_json
    from omkt_cli.work import connect

    with connect(server, key, root) as client:
        found = client.presets()
    if as_json:
        print_json([preset.raw for preset in found])
    else:
        out().print(preset_table(found), soft_wrap=False)


@presets.command()
def put(
    file: Annotated[
        Path, typer.Argument(metavar="FILE.yaml", exists=True, dir_okay=False, help="As docs/presets.md says.")
    ],
    server: Server = None,
    key: Key = None,
    root: Root = ROOT,
    as_json: Json = False,
) -> None:
    """For operators: add the preset of a file to the farm, or change it."""
    import yaml

    from omkt_cli.terminal import print_json, result
    from omkt_cli.work import connect

    try:
        said = yaml.safe_load(file.read_text())
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise typer.BadParameter(f"{file} is not YAML: {error}") from error
    if not isinstance(said, dict) or not isinstance(said.get("id"), str):
        raise typer.BadParameter(f"{file} names no `id`. A preset is a mapping of names to values (docs/presets.md).")
    with connect(server, key, root) as client:
        made = client.put_preset(said)
    if as_json:
        print_json(made.raw)
    else:
        result(f"{made.id} (version {made.version}): {made.title}")


@presets.command()
def remove(
    preset: Annotated[str, typer.Argument(metavar="PRESET", help="Its id.")],
    server: Server = None,
    key: Key = None,
    root: Root = ROOT,
) -> None:
    """For operators: remove a preset that was added. Jobs that are planned with it go on."""
    from omkt_cli.terminal import result
    from omkt_cli.work import connect

    with connect(server, key, root) as client:
        client.remove_preset(preset)
    result(f"{preset} is removed.")
