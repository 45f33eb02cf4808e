"""What becomes of every file of a folder and the folders in it: `make media-report MEDIA=FOLDER PRESETS=a,b OUT=FOLDER`.

Takes each file through probe, plan, encode and package, for each preset by itself, as the services do but without a queue.
Writes OUT/report.json for programs and OUT/report.md for people. A verdict is `made` (verified against its plan), `refused`
(a permanent failure with a stable code and a sentence) or `WRONG` (anything else, also what contradicts the folder's
MANIFEST.json, with the reason); with one of those the exit status is 1.

Hostile files: run it without a network (`unshare -n`).
"""

import json
import logging
import shutil
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import structlog
from bench.manifest import Entry, fault_of_facts, fault_of_refusal, manifest
from tests.integration.media.pipeline import Delivered, Pipeline

from omkt_pipeline.domain.errors import OmktError, SourceError
from omkt_pipeline.media.tools import Tools, find_tools
from omkt_pipeline.presets import shipped

#: What lies beside media and is none.
_NOT_MEDIA = frozenset({".json", ".md", ".py", ".txt"})


def main(media: Path, presets: Sequence[str], out: Path) -> int:
    """Write the report; the exit status."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    unknown = [name for name in presets if name not in shipped()]
    if unknown or not media.is_dir():
        print(f"no preset {', '.join(unknown)}" if unknown else f"{media} is no folder", file=sys.stderr)
        return 2
    out.mkdir(parents=True, exist_ok=True)
    tools = find_tools()
    rows = []
    known = manifest(media)
    for file in sorted(path for path in media.rglob("*") if path.is_file() and path.suffix not in _NOT_MEDIA):
        name = file.relative_to(media).as_posix()
        for preset in presets:
            rows.append(_row(file, preset, tools, known.get(name)) | {"file": name})
            print(f"{rows[-1]['verdict']:8} {preset:24} {name}: {rows[-1]['result']}{_reason(rows[-1])}", flush=True)
    (out / "report.json").write_text(json.dumps({"ffmpeg": tools.version, "rows": rows}, indent=2, ensure_ascii=False))
    (out / "report.md").write_text("\n".join(_table(rows)) + "\n")
    counts = Counter(row["verdict"] for row in rows)
    print(", ".join(f"{count} {verdict}" for verdict, count in sorted(counts.items())))
    return 1 if counts["WRONG"] else 0


def _row(file: Path, preset: str, tools: Tools, entry: Entry | None) -> dict[str, Any]:
    folder = Path(tempfile.mkdtemp(prefix="media-report-"))
    begun = time.monotonic()
    fault: str | None = None
    row: dict[str, Any] = {"preset": preset, "decisions": []}
    try:
        delivered = Pipeline(folder, tools).run(file, [preset])
        decisions = [decision.model_dump() for decision in delivered.plan.decisions]
        row |= {"verdict": "made", "result": _made(delivered, preset), "decisions": decisions}
        fault = fault_of_facts(entry, delivered.facts) if entry else None
    except SourceError as error:
        row |= {"verdict": "refused", "code": error.code, "result": error.message}
        fault = fault_of_refusal(entry, error.code) if entry else None
    except OmktError as error:
        row |= {"verdict": "WRONG", "code": error.code, "result": error.message}
    except Exception as error:  # noqa: BLE001 - whatever it is, the other files are still to be seen
        row |= {"verdict": "WRONG", "code": "internal", "result": f"{type(error).__name__}: {error}"}
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    if fault is not None:
        row |= {"verdict": "WRONG", "reason": fault}
    return row | {"seconds": round(time.monotonic() - begun, 2)}


def _reason(row: dict[str, Any]) -> str:
    return f" ({row['reason']})" if "reason" in row else ""


def _made(delivered: Delivered, preset: str) -> str:
    result = delivered.results[preset]
    pictures = [f"{one['codec']} {one['width']}x{one['height']}" for one in result.get("renditions", ())]
    sounds = [f"{one['codec']} {one['channels']} ch" for one in result.get("audio", ())]
    stills = [f"{len(result['images'])} stills"] if "images" in result else []
    length = [f"{result['duration']:.2f} s"] if "duration" in result else []
    return ", ".join([*pictures, *sounds, *stills, *length])


def _table(rows: Sequence[dict[str, Any]]) -> Iterator[str]:
    yield "| file | preset | decisions | result | verdict |"
    yield "| --- | --- | --- | --- | --- |"
    for row in rows:
        codes = " ".join(sorted({decision["code"] for decision in row["decisions"]})) or row.get("code", "")
        cells = (row["file"], row["preset"], codes, row["result"], row["verdict"] + _reason(row))
        yield "| " + " | ".join(str(cell).replace("|", "\\|").replace("\n", " ") for cell in cells) + " |"


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), sys.argv[2].split(","), Path(sys.argv[3])))
