"""Hosts are upgraded one by one: who may still work with this schema, and who understands a task."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("farm") as farm:
        farm.add_column(sa.Column("oldest_revision", sa.String(length=32), nullable=False, server_default="0007"))
    with op.batch_alter_table("farm") as farm:
        farm.alter_column("oldest_revision", existing_type=sa.String(length=32), server_default=None)
    op.add_column("task", sa.Column("spec_version", sa.SmallInteger(), nullable=False, server_default="1"))


def downgrade() -> None:
    op.drop_column("task", "spec_version")
    with op.batch_alter_table("farm") as farm:
        farm.drop_column("oldest_revision")
