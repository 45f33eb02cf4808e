"""Every code that an error may carry stands in docs/errors.md; every code of a decision in docs/media.md or there."""

import ast
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
ERRORS = {
    "OmktError", "Refused", "NotFound", "Conflict", "TooLarge", "SourceError", "FetchError", "ToolError", "Unavailable",
    "ShareUnusable", "VerifyError",
}  # fmt: skip


def codes_given_to(names: set[str]) -> Iterator[tuple[str, Path]]:
    """Literal `code=` arguments of calls of these names, all over the packages and services."""
    for path in [*(ROOT / "packages").rglob("src/**/*.py"), *(ROOT / "services").rglob("src/**/*.py")]:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and getattr(node.func, "id", getattr(node.func, "attr", "")) in names:
                for keyword in node.keywords:
                    if keyword.arg == "code" and isinstance(keyword.value, ast.Constant):
                        yield str(keyword.value.value), path


def missing(names: set[str], *pages: str) -> set[str]:
    said = "".join((DOCS / page).read_text() for page in pages)
    found = dict(codes_given_to(names))
    assert found
    return {code for code in found if f"`{code}`" not in said}


def test_every_error_is_in_the_table() -> None:
    assert missing(ERRORS, "errors.md") == set()


def test_every_decision_of_a_plan_is_explained() -> None:
    assert missing({"Decision"}, "media.md", "errors.md") == set()
