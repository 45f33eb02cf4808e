"""What can rot is tested: the contracts between packages, sizes, names, docs against code."""

import re
import shutil
import subprocess
import sys
from pathlib import Path
from statistics import median

import pytest

from omkt_pipeline.domain import job, task
from omkt_pipeline.settings import ALL_SETTINGS

ROOT = Path(__file__).resolve().parents[2]
SOURCES = sorted(p for folder in ("packages", "services") for p in (ROOT / folder).glob("*/src/**/*.py"))
PLANTED = {
    "a service that imports its sibling": ("services/metadata/src/omkt_metadata/planted.py", "import omkt_api.expire"),
    "I/O in the domain": ("packages/pipeline/src/omkt_pipeline/domain/planted.py", "import subprocess"),
    "a row outside db and queue": ("services/api/src/omkt_api/planted.py", "import omkt_pipeline.db.tables"),
    "settings below the entry points": (
        "packages/pipeline/src/omkt_pipeline/storage/planted.py",
        "import omkt_pipeline.settings",
    ),
    "storage that knows the queue": (
        "packages/pipeline/src/omkt_pipeline/storage/planted.py",
        "import omkt_pipeline.queue.claim",
    ),
    "a child process outside its place": ("services/transcoder/src/omkt_transcoder/planted.py", "import subprocess"),
}


def lint_imports(tree: Path) -> subprocess.CompletedProcess[str]:
    folders = [str(path) for path in sorted(tree.glob("*/*/src"))]
    return subprocess.run(
        [str(Path(sys.executable).parent / "lint-imports"), "--no-cache"],
        cwd=tree,
        env={"PYTHONPATH": ":".join(folders), "PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8"},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture
def copy_of_the_house(tmp_path: Path) -> Path:
    for folder in ("packages", "services"):
        shutil.copytree(
            ROOT / folder, tmp_path / folder, ignore=shutil.ignore_patterns("__pycache__", "*.yaml", "static")
        )
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    return tmp_path


@pytest.mark.parametrize("violation", PLANTED, ids=str)
def test_the_import_contracts_name_a_planted(violation: str, copy_of_the_house: Path) -> None:
    path, line = PLANTED[violation]
    (copy_of_the_house / path).write_text(f"{line}\n")

    found = lint_imports(copy_of_the_house)

    assert found.returncode != 0, found.stdout
    assert "planted" in found.stdout


def test_files_stay_small() -> None:
    lines = {path: len(path.read_text().splitlines()) for path in SOURCES if "migrations" not in path.parts}

    assert [str(path) for path, count in lines.items() if count > 400] == []
    assert median(lines.values()) < 120


def test_no_room_is_called_utils() -> None:
    banned = {"utils", "common", "helpers", "misc", "util", "base", "core"}

    assert [str(path) for path in SOURCES if path.stem in banned or path.parent.name in banned] == []


def test_every_setting_has_a_row_in_the_manual() -> None:
    manual = (ROOT / "docs" / "configuration.md").read_text()
    documented = set(re.findall(r"^\| `(OMKT_\w+)`", manual, re.M))

    assert documented >= {f"OMKT_{name.upper()}" for kind in ALL_SETTINGS for name in kind.model_fields}


def test_every_code_that_a_job_can_fail_with_is_in_the_manual() -> None:
    manual = (ROOT / "docs" / "errors.md").read_text()
    documented = set(re.findall(r"`([a-z_0-9]+)`", manual))
    places = ("/media/", "/storage/", "/worker/", "/omkt_transcoder/", "/omkt_metadata/")
    texts = [path.read_text() for path in SOURCES if any(place in str(path) for place in places)]
    patterns = (r'(?<![_\w])code(?:: str)?\s*=\s*"([a-z_0-9]+)"', r'(?:SourceError|Unavailable),\s*"([a-z_]+)"')
    codes = {code for text in texts for pattern in patterns for code in re.findall(pattern, text)}

    assert "source_damaged" in codes
    assert codes - documented == set()


def edges(diagram: str) -> set[tuple[str, str]]:
    page = (ROOT / "docs" / "architecture.md").read_text()
    section = page.split(f"<!-- {diagram} -->")[1].split("```")[1]
    return set(re.findall(r"^\s+(\w+) --> (\w+)$", section, re.M))


def test_the_diagram_of_jobs_and_the_code_draw_the_same_edges() -> None:
    assert edges("job states") == {(a.value, b.value) for a, following in job.NEXT.items() for b in following}


def test_the_diagram_of_tasks_and_the_code_draw_the_same_edges() -> None:
    assert edges("task states") == {
        (a.name.lower(), b.name.lower()) for a, following in task.NEXT.items() for b in following
    }


def test_links_between_documents_lead_somewhere() -> None:
    pages = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]
    dead = [
        f"{page.relative_to(ROOT)}: {target}"
        for page in pages
        for target in re.findall(r"\]\((?!https?:|#|mailto:)([^)#]+)", page.read_text())
        if not (page.parent / target).exists()
    ]

    assert dead == []
