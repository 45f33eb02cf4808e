"""Runs benchmarks: `python bench/run.py [NAME...]`; without names all but `hosts` and `rescues`, which boot machines."""

import importlib
import sys
from pathlib import Path

#: In the order in which they run; the module that measures, below bench/.
BENCHMARKS = {
    "memory": "memory",
    "api": "submissions",
    "queue": "claims",
    "lists": "lists",
    "listeners": "listeners",
    "downloads": "downloads",
    "resumable": "resumable",
    "webcron": "webcron",
    "latency": "latency",
    "probing": "probing",
    "vp9": "vp9",
    "farm": "efficiency",
    "ladder": "ladder",
    "quality": "chunked_quality",
    "containers": "containers",
    "hosts": "hosts",
    "rescues": "rescues",
}
#: They take root, guests and more than an hour each.
_ASKED_FOR = ("hosts", "rescues")


def main(names: list[str]) -> int:
    unknown = sorted(set(names) - set(BENCHMARKS))
    if unknown:
        print(f"unknown benchmark: {', '.join(unknown)}; there are {', '.join(BENCHMARKS)}", file=sys.stderr)
        return 2
    from omkt_pipeline.logs import configure_logging  # noqa: PLC0415 - --help and typos need not wait for it

    configure_logging(service="bench", host="bench", level="WARNING")
    for name, module in BENCHMARKS.items():
        if name in names or (not names and name not in _ASKED_FOR):
            importlib.import_module(f"bench.{module}").run()
    return 0


if __name__ == "__main__":
    # The repository's root instead of this folder: the benchmarks use the servers of the tests.
    sys.path[0] = str(Path(__file__).resolve().parent.parent)
    sys.exit(main(sys.argv[1:]))
