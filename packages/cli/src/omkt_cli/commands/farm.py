"""Commands with a farm of their own: up, transcode, demo."""

# ruff: noqa: PLC0415 - what a command needs is imported when it runs, so that `omkt --help` is quick

from pathlib import Path
from typing import Annotated

import typer

from omkt_cli.commands.options import DEFAULT_PRESETS, ROOT, Json, Presets, Root

commands = typer.Typer()
_LOOK_SECONDS = 0.25
_CLIP = Path("demo/clip.mp4")
_DEMO_FOLDER = Path("var/demo")


@commands.command()
def up(
    root: Root = ROOT,
    port: Annotated[
        int | None, typer.Option(min=0, max=65535, help="Default: 8080 if free, else a free one, as does 0.")
    ] = None,
) -> None:
    """Run a farm on this machine until Ctrl-C.

    It needs SQLite and a folder; there are no servers to install.
    """
    import time

    from omkt_cli.farm.embedded import embedded_farm
    from omkt_cli.farm.place import Place
    from omkt_cli.terminal import notes, say

    place = Place(root)
    with embedded_farm(place, port=port, tell=say) as farm:
        notes().print()
        say(f"The farm is up at {farm.url}", style="bold green")
        say(f"  files  {place.root}   key  {place.key_file}   logs  {place.logs}")
        say("  In another terminal: omkt submit FILE --wait    Stop it with Ctrl-C.\n")
        try:
            while farm.supervisor.is_running():
                while not farm.supervisor.news.empty():
                    _line("supervisor", farm.supervisor.news.get())
                for service, sentence in farm.journal.news():
                    _line(service, sentence)
                time.sleep(_LOOK_SECONDS)
        except KeyboardInterrupt:
            say("\nstopping; press Ctrl-C again to stop without waiting")
    say("The farm has stopped. What was running goes on with the next `omkt up`.")


@commands.command()
def transcode(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="What to transcode.")],
    preset: Presets = None,
    folder: Annotated[
        Path | None, typer.Option("--output", "-o", metavar="FOLDER", help="Default: ./NAME-omkt")
    ] = None,
    root: Root = ROOT,
    as_json: Json = False,
) -> None:
    """Transcode one file here, without a server.

    A farm is started for it, what was made is copied into a folder, and the farm is stopped.
    Where a farm runs already (`omkt up`), that one does the work. Files of the same name are replaced.
    """
    from omkt_cli.work import any_farm, file_of, made, print_made, save

    source = file_of(file)
    with any_farm(root, quiet=as_json) as client:
        job = made(client, source, list(preset or DEFAULT_PRESETS), quiet=as_json)
        places = save(client, job, folder or Path(f"{source.stem}-omkt"), quiet=as_json)
    print_made(job, places, as_json=as_json)


@commands.command()
def demo(
    clip: Annotated[Path, typer.Option(metavar="FILE", help="The film to show it with.")] = _CLIP,
    root: Root = ROOT,
) -> None:
    """See it work on a short clip."""
    import time

    from omkt_cli.show import made_tree, size
    from omkt_cli.terminal import notes, out, result, say
    from omkt_cli.work import any_farm, file_of, made, save, say_warnings

    source = file_of(clip)
    begun = time.monotonic()
    say(f"Transcoding {source} ({size(source.stat().st_size)}) with the presets {', '.join(DEFAULT_PRESETS)}\n")
    with any_farm(root) as client:
        job = made(client, source, list(DEFAULT_PRESETS))
        places = save(client, job, _DEMO_FOLDER)
    say_warnings(job)
    notes().print()
    out().print(made_tree(job, places))
    result(f"\nMade in {time.monotonic() - begun:.0f} s. The files are in {_DEMO_FOLDER}/", style="bold")
    playable = [output for output in job.outputs if output.play_url]
    if playable:
        result("\nTo watch them in a browser, start the farm again:    .venv/bin/omkt up")
        result("and open, within a day:")
        for output in playable:
            result(f"  {output.preset:10} {output.play_url}")
    result("\nYour own films:    .venv/bin/omkt transcode FILE")


def _line(who: str, what: str) -> None:
    from datetime import datetime

    from omkt_cli.terminal import say

    say(f"{datetime.now():%H:%M:%S}  {who:10}  {what}")  # noqa: DTZ005 - the clock on the wall
