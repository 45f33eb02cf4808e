"""Jobs that begin not before a time, must end before another, and carry tags."""

import sqlalchemy as sa
from alembic import op

from omkt_pipeline.db.types import Instant

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("job", sa.Column("tags", sa.JSON(none_as_null=True), nullable=True))
    op.add_column("job", sa.Column("not_before", Instant(), nullable=True))
    op.add_column("job", sa.Column("deadline", Instant(), nullable=True))
    op.create_index("k_job_deadline", "job", ["state", "deadline"], unique=False)


def downgrade() -> None:
    op.drop_index("k_job_deadline", table_name="job")
    for name in ("deadline", "not_before", "tags"):
        op.drop_column("job", name)
