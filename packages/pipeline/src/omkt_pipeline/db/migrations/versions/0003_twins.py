"""A slow chunk may be begun a second time: each of the two starts knows the other."""

import sqlalchemy as sa
from alembic import op

from omkt_pipeline.db.types import BigKey

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("task", sa.Column("twin_id", BigKey, nullable=True))


def downgrade() -> None:
    op.drop_column("task", "twin_id")
