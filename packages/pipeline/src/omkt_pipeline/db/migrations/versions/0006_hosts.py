"""Hosts: a name belongs to one machine, orders outlive its containers, operators may steer them."""

import sqlalchemy as sa
from alembic import op

from omkt_pipeline.db.migrations.versions import MYSQL
from omkt_pipeline.db.types import Instant

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "host",
        sa.Column("name", sa.String(length=255), nullable=False),
        sa.Column("identity", sa.String(length=64), nullable=True),
        sa.Column("ordered", sa.String(length=16), nullable=True),
        sa.Column("database_user", sa.String(length=32), nullable=True),
        sa.Column("invited_at", Instant(), nullable=True),
        sa.Column("joined_at", Instant(), nullable=True),
        sa.PrimaryKeyConstraint("name"),
        **MYSQL,
    )
    with op.batch_alter_table("worker") as worker:
        worker.drop_column("ordered")
    with op.batch_alter_table("account") as account:
        account.add_column(sa.Column("operator", sa.Boolean(), nullable=False, server_default=sa.false()))
    with op.batch_alter_table("farm") as farm:
        farm.add_column(sa.Column("exports", sa.JSON(none_as_null=True), nullable=True))
        farm.add_column(sa.Column("exports_at", Instant(), nullable=True))


def downgrade() -> None:
    with op.batch_alter_table("farm") as farm:
        farm.drop_column("exports_at")
        farm.drop_column("exports")
    with op.batch_alter_table("account") as account:
        account.drop_column("operator")
    with op.batch_alter_table("worker") as worker:
        worker.add_column(sa.Column("ordered", sa.String(length=16), nullable=True))
    op.drop_table("host")
