"""Fault 33: the farm goes to a later version and back, main host first, host by host, while it works (docs/operations.md)."""

from pathlib import Path

from tests.farm.client import wait_for
from tests.farm.farm import Farm
from tests.farm.host import Host
from tests.farm.images import VERSION
from tests.farm.verdict import judge

NEXT = "next"
#: A migration that only adds, as a later version may bring it.
MIGRATION = """
import sqlalchemy as sa
from alembic import op

revision = "9000"
down_revision = "{head}"
branch_labels = depends_on = None

def upgrade():
    op.create_table("novelty", sa.Column("id", sa.Integer(), primary_key=True))
    op.add_column("task", sa.Column("novelty", sa.Integer(), nullable=True))
    op.add_column("worker", sa.Column("novelty", sa.String(8), nullable=False, server_default="none"))
"""


def make_next(host: Host, *services: str) -> None:
    """Images of a later version on a host: this one's, and one migration more."""
    for service in services:
        image = f"omkt-{service}:{VERSION}"
        program = "import omkt_pipeline.db.revision as r; print(r.__file__, r.HEAD)"
        path, head = host.guest.run("docker", "run", "--rm", "--entrypoint", "python", image, "-c", program).out.split()
        host.guest.write("/root/9000_novelty.py", MIGRATION.format(head=head))
        host.guest.sh(
            f"docker create --name next-{service} {image} && docker cp next-{service}:{path} /root/revision.py && "
            f"sed -i 's/^HEAD = .*/HEAD = \"9000\"/' /root/revision.py && "
            f"docker cp /root/revision.py next-{service}:{path} && "
            f"docker cp /root/9000_novelty.py next-{service}:{Path(path).parent}/migrations/versions/ && "
            f"docker commit next-{service} omkt-{service}:{NEXT} && docker rm next-{service}"
        )


def go_to(farm: Farm, host: Host, version: str) -> None:
    host.settings({"OMKT_VERSION": version})
    farm.bring_up(host)


def a_job_is_done(farm: Farm, films: Path) -> None:
    key = farm.client.submit(films / "short.mp4", "mp4-720p")
    assert farm.client.ended(key)["state"] == "succeeded"
    tried = {tried["outcome"] for task in farm.client.tasks(key) for tried in task["history"]}
    assert tried <= {"ok", "released"}, tried


def test_33_the_farm_is_upgraded_host_by_host_and_goes_back(farm: Farm, films: Path) -> None:
    main, second, third = farm.hosts
    make_next(main, "api")
    make_next(third, "metadata", "transcoder")
    under_way = [farm.client.submit(films / "long.mp4", "mp4-720p") for _ in range(2)]

    go_to(farm, main, NEXT)
    a_job_is_done(farm, films)
    second.compose("restart", "metadata", "transcoder")  # a program that is older than the schema begins
    go_to(farm, third, NEXT)
    wait_for(lambda: second.said("transcoder", "ready"), seconds=180, what="the older host to be ready")
    a_job_is_done(farm, films)
    go_to(farm, main, VERSION)
    a_job_is_done(farm, films)
    go_to(farm, third, VERSION)

    a_job_is_done(farm, films)
    assert [farm.client.ended(key)["state"] for key in under_way] == ["succeeded"] * 2
    judge(farm)
