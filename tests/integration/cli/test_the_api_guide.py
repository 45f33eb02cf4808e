"""docs/api.md, followed line by line against a real farm: what a stranger copies from it works."""

import json
import os
import re
import subprocess
from pathlib import Path

import httpx
from tests.integration.cli.farms import PATIENCE_SECONDS, clip, farm_up, until

GUIDE = Path(__file__).resolve().parents[3] / "docs" / "api.md"
#: What the guide writes in the place of ids.
UPLOAD, JOB = "hb2x…", "s5a7…"


def commands() -> list[str]:
    """The commands of all shell blocks, in their order; one goes on where a line ends openly."""
    found: list[str] = []
    for block in re.findall(r"```sh\n(.*?)```", GUIDE.read_text(), re.DOTALL):
        for line in block.splitlines():
            begins = re.match(r"(curl|size=|api=)", line)
            if begins:
                found.append(line)
            elif line and not line.startswith("#"):
                found[-1] += f"\n{line}"
    return found


def test_every_command_of_the_guide_works(folder: Path) -> None:
    film = clip(folder)
    film.rename(folder / "film.mov")
    known: dict[str, str] = {}
    said: list[tuple[str, str]] = []
    with farm_up(folder) as up:
        url, key = address_of(folder)
        before = ""
        for command in commands():
            text = command.replace("api=http://127.0.0.1:8080", f"api={url}")
            for name, value in known.items():
                text = text.replace(name, value)
            if not text.startswith("curl"):
                before += f"{text}\n"
                continue
            if f"/v1/jobs/{known.get(JOB)}" in text and "events" not in text:
                until(lambda: up.job(known[JOB])["state"] == "succeeded", "the guide's job")
            answer = run(before + text, folder, key)
            said.append((text, answer))
            remember(text, answer, known)

        assert len(said) >= 7
        told = "\n".join(answer for _, answer in said)
        assert '"succeeded"' in told
        assert "problems/" not in told, told
        assert "Upload-Offset: 0" in told or "upload-offset: 0" in told
        assert '"key":"omkt_' in told.replace(" ", "")
        with httpx.Client(base_url=url, headers={"Authorization": f"Bearer {key}"}, trust_env=False) as client:
            # The second upload went in by parts, and is whole.
            assert client.get(f"/v1/uploads/{known[UPLOAD]}").json()["complete"]
            media = client.get(f"/v1/jobs/{known[JOB]}").json()["media"]["id"]
            asked = json.loads(example_of_parts().replace('"media": "…"', f'"media": "{media}"'))
            made = client.post("/v1/jobs", json=asked)
            assert made.status_code == 201, made.text
            until(lambda: up.job(made.json()["id"])["state"] == "succeeded", "the job with parts")


def address_of(folder: Path) -> tuple[str, str]:
    """Where the farm below this folder listens, and its key."""
    lock = next(folder.rglob("farm.lock"))
    return json.loads(lock.read_text())["url"], lock.with_name("key").read_text().strip()


def run(script: str, folder: Path, key: str) -> str:
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", script],
        cwd=folder,
        env=os.environ | {"OMKT_KEY": key, "no_proxy": "127.0.0.1"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=PATIENCE_SECONDS,
        check=False,
    )
    assert done.returncode == 0, (script, done.stderr)
    return done.stdout


def remember(command: str, answer: str, known: dict[str, str]) -> None:
    """The ids that a command made."""
    located = re.search(r"(?im)^location:.*/v1/uploads/(\S+)", answer)
    if located:
        known[UPLOAD] = located[1]
    elif "/v1/uploads?" in command:
        known[UPLOAD] = json.loads(answer)["id"]
    elif "Idempotency-Key" in command:
        known[JOB] = json.loads(answer)["id"]


def example_of_parts() -> str:
    """The request of the chapter about parts."""
    return next(
        block for block in re.findall(r"```json\n(.*?)```", GUIDE.read_text(), re.DOTALL) if '"teaser"' in block
    )
