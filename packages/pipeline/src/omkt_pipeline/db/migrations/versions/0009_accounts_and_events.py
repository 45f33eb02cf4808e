"""Events of an account, its webhook endpoints and quotas; and pools that the operator pauses."""

import sqlalchemy as sa
from alembic import op

from omkt_pipeline.db.types import BigKey, Instant

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("farm", sa.Column("paused", sa.JSON(), nullable=True))
    op.add_column("account", sa.Column("max_bytes", BigKey, nullable=True))
    op.add_column("account", sa.Column("max_upload_bytes", BigKey, nullable=True))
    op.add_column("account", sa.Column("max_daily_minutes", sa.Double(), nullable=True))
    op.add_column("job", sa.Column("minutes", sa.Double(), nullable=True))
    op.add_column("outbox", sa.Column("endpoint_id", sa.Integer(), nullable=True))
    op.create_table(
        "event",
        sa.Column("id", BigKey, autoincrement=True, nullable=False),
        sa.Column("account_id", sa.Integer(), nullable=False),
        sa.Column("job_id", BigKey, nullable=False),
        sa.Column("topic", sa.String(length=48), nullable=False),
        sa.Column("body", sa.JSON(), nullable=False),
        sa.Column("created_at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("k_event_account", "event", ["account_id", "id"])
    op.create_index("k_event_age", "event", ["created_at", "id"])
    op.create_table(
        "webhook_endpoint",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("endpoint_key", sa.String(length=26), nullable=False),
        sa.Column("account_id", sa.Integer(), nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("topics", sa.JSON(), nullable=False),
        sa.Column("secret", sa.String(length=128), nullable=False),
        sa.Column("enabled", sa.Boolean(), nullable=False),
        sa.Column("failing_since", Instant(), nullable=True),
        sa.Column("created_at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("endpoint_key"),
    )
    op.create_index("ix_webhook_endpoint_account_id", "webhook_endpoint", ["account_id"])


def downgrade() -> None:
    op.drop_table("webhook_endpoint")
    op.drop_table("event")
    op.drop_column("outbox", "endpoint_id")
    op.drop_column("job", "minutes")
    for column in ("max_daily_minutes", "max_upload_bytes", "max_bytes"):
        op.drop_column("account", column)
    op.drop_column("farm", "paused")
