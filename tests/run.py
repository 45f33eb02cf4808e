"""Runs every tier that this machine can carry, and says which it left out and what would bring it in.

    make test                    what is possible here
    REQUIRE=all make test        a missing tier is a failure; what may be installed is installed (root, Debian or Ubuntu)
    TIERS=unit,contract make test

The last line counts all tiers: "N passed, N failed".
"""

import os
import subprocess
import sys
import tempfile
import time
import xml.etree.ElementTree as ET
from dataclasses import dataclass, field
from pathlib import Path

from tests.needs import CHROMIUM, ENGINE, FARM, IMAGES, MARIADB, PROXIES, SYSTEM_FFMPEG, Need

ROOT = Path(__file__).resolve().parent.parent
BIN = Path(sys.executable).parent
REQUIRE_ALL = os.environ.get("REQUIRE") == "all"


@dataclass
class Tier:
    """A set of tests that runs on the same things. `optional` needs widen it, and are told to it by the environment."""

    name: str
    paths: list[str]
    needs: list[Need] = field(default_factory=list)
    optional: dict[str, Need] = field(default_factory=dict)
    workers: int = 0
    arguments: tuple[str, ...] = ()  #: for pytest
    asked_for: bool = False  #: runs only when TIERS names it, or with REQUIRE=all


@dataclass
class Result:
    name: str
    passed: int = 0
    failed: int = 0
    seconds: float = 0.0
    left_out: str | None = None


TIERS = [
    Tier("unit", ["tests/unit", "tests/repo"], workers=2),
    Tier(
        "contract",
        ["tests/contract", "tests/faults"],
        workers=2,
        optional={"OMKT_TEST_MARIADB": MARIADB, "OMKT_TEST_ENGINE": ENGINE, "OMKT_TEST_MYSQL": IMAGES},
    ),
    Tier("integration", ["tests/integration"], optional={"OMKT_TEST_SYSTEM_FFMPEG": SYSTEM_FFMPEG}, workers=2),
    Tier("browser", ["tests/browser"], needs=[CHROMIUM]),
    Tier("proxies", ["tests/proxies"], needs=[PROXIES]),
    Tier("containers", ["tests/containers"], needs=[ENGINE, IMAGES]),
    # the original's client against /api
    Tier("acceptance", ["tests/acceptance"], needs=[ENGINE, IMAGES]),
    # several hosts with kernels of their own; without -m: every fault (make farm-long)
    Tier("farm", ["tests/farm"], needs=list(FARM), arguments=("-m", "short"), asked_for=True),
]


def check() -> Result:
    """Format, lint, types, import contracts: what `make check` runs."""
    begun = time.monotonic()
    print("== check", flush=True)
    failed = subprocess.run(["make", "--no-print-directory", "check"], cwd=ROOT, check=False).returncode != 0
    return Result("check", int(not failed), int(failed), time.monotonic() - begun)


def run(tier: Tier) -> Result:
    print(f"== {tier.name}", flush=True)
    environment = dict(os.environ)
    for need in tier.needs:
        if not need.met(install=REQUIRE_ALL):
            failed = int(REQUIRE_ALL and not need.of_the_machine)
            return Result(tier.name, failed=failed, left_out=f"{need.name} is missing: {need.cure}")
    missing = []
    for variable, need in tier.optional.items():
        if need.met(install=REQUIRE_ALL):
            environment[variable] = "1"
        else:
            missing.append(f"without {need.name} ({need.cure})")
    begun = time.monotonic()
    paths = [path for path in tier.paths if (ROOT / path).exists()]
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.xml"
        command = [str(BIN / "python"), "-m", "pytest", "-q", f"--junitxml={report}", *paths]
        command += tier.arguments
        if tier.workers:
            command += ["-n", str(tier.workers)]
        status = subprocess.run(command, cwd=ROOT, env=environment, stdin=subprocess.DEVNULL, check=False).returncode
        passed, failed, skipped = counts(report)
    # A skipped test is a test that did not run: the tiers say what is left out, tests do not.
    failed += skipped
    if status != 0 and failed == 0:
        failed = 1
    if missing and REQUIRE_ALL:
        failed += len(missing)
    return Result(tier.name, passed, failed, time.monotonic() - begun, "; ".join(missing) or None)


def counts(report: Path) -> tuple[int, int, int]:
    if not report.exists():
        return 0, 0, 0
    suites = list(ET.parse(report).getroot().iter("testsuite"))
    number = {
        key: sum(int(suite.get(key, 0)) for suite in suites) for key in ("tests", "failures", "errors", "skipped")
    }
    failed = number["failures"] + number["errors"]
    return number["tests"] - failed - number["skipped"], failed, number["skipped"]


def main() -> int:
    usual = ["check", *(tier.name for tier in TIERS if REQUIRE_ALL or not tier.asked_for)]
    chosen = os.environ["TIERS"].split(",") if os.environ.get("TIERS") else usual
    if unknown := set(chosen) - {"check", *(tier.name for tier in TIERS)}:
        sys.exit(f"no such tier: {', '.join(sorted(unknown))}. TIERS takes names with commas between them.")
    results = [check()] if "check" in chosen else []
    results += [run(tier) for tier in TIERS if tier.name in chosen]
    print("\ntier         passed  failed  seconds")
    for result in results:
        print(f"{result.name:12} {result.passed:6}  {result.failed:6}  {result.seconds:7.0f}", end="")
        print(f"   left out: {result.left_out}" if result.left_out else "")
    failed = sum(result.failed for result in results)
    print(f"\n{sum(result.passed for result in results)} passed, {failed} failed", flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
