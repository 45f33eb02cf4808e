"""schemathesis over the whole OpenAPI: examples, boundaries, random and wrong requests, and sequences of them.

No answer is a 5xx, and each has a status, headers and a body that the schema names. The seed is fixed: the same run each time.
"""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from tests.integration.api.conftest import Farm

SEED = "20261125"
#: Cases for each operation; OMKT_SCHEMA_EXAMPLES=500 looks for longer.
EXAMPLES = os.environ.get("OMKT_SCHEMA_EXAMPLES", "15")
#: A stream without an end is no answer to wait for; test_events.py and test_feed.py have them.
STREAMS = ("watch_job", "watch_events")


@pytest.mark.timeout(900)
def test_no_request_whatever_has_an_answer_that_the_schema_does_not_name(
    farm: Farm, published: str, tmp_path: Path
) -> None:
    assert published, "there is something to be found"
    excluded = [word for name in STREAMS for word in ("--exclude-operation-id", name)]
    command = [
        str(Path(sys.executable).with_name("st")), "run", f"{farm.url}/openapi.json",
        "--header", f"Authorization: Bearer {farm.key}", *excluded,
        "--seed", SEED, "--generation-deterministic", "--max-examples", EXAMPLES,
        # What is well formed may still name what is not there: 400 and 422 say so.
        "--exclude-checks", "positive_data_acceptance",
        "--continue-on-failure", "--request-timeout", "20", "--no-color", "--warnings", "off",
    ]  # fmt: skip

    hooks = {"SCHEMATHESIS_HOOKS": str(Path(__file__).with_name("schema_hooks.py"))}

    done = subprocess.run(command, cwd=tmp_path, env=os.environ | hooks, capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stdout[-20_000:] + done.stderr[-2000:]
