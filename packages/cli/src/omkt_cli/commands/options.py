"""Options that several commands share."""

from pathlib import Path
from typing import Annotated

import typer

from omkt_cli.farm.place import DEFAULT_ROOT

Server = Annotated[
    str | None,
    typer.Option(envvar="OMKT_SERVER", metavar="URL", help="The farm; by default the one that `omkt up` runs here."),
]
Key = Annotated[str | None, typer.Option(envvar="OMKT_KEY", metavar="KEY", help="The API key; see `omkt accounts`.")]
Root = Annotated[Path, typer.Option(envvar="OMKT_FARM", metavar="FOLDER", help="The folder of the embedded farm.")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON, for machines.")]
JobId = Annotated[str, typer.Argument(metavar="JOB", help="The id of a job.")]
Presets = Annotated[
    list[str] | None,
    typer.Option("--preset", "-p", metavar="PRESET", help="What to make; may be repeated. `omkt presets` lists all."),
]
Trim = Annotated[
    str | None,
    typer.Option(metavar="START-END", help="Only a part of a film or sound: 12.5-27, 1:05-, exact to the frame."),
]
ROOT = DEFAULT_ROOT
DEFAULT_PRESETS = ("hls-h264", "mp4-720p", "thumbnails")
