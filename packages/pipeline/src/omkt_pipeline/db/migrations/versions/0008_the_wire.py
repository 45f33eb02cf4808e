"""The original's API: its clients, their media and formats under their own numbers, and callbacks in its form."""

import sqlalchemy as sa
from alembic import op

from omkt_pipeline.db.types import BigKey, Instant

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("job", sa.Column("callback_kind", sa.String(length=8), nullable=False, server_default="webhook"))
    op.create_table(
        "wire_client",
        sa.Column("account_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("email", sa.String(length=190), nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("app_key", sa.String(length=32), nullable=False),
        sa.Column("key_sha256", sa.String(length=64), nullable=False),
        sa.Column("adapters", sa.JSON(), nullable=False),
        sa.Column("enabled", sa.Boolean(), nullable=False),
        sa.Column("validated_at", Instant(), nullable=True),
        sa.Column("token_sha256", sa.String(length=64), nullable=True),
        sa.Column("token_until", Instant(), nullable=True),
        sa.Column("seen_at", Instant(), nullable=False),
        sa.Column("cron_at", Instant(), nullable=True),
        sa.Column("cron_ok_at", Instant(), nullable=True),
        sa.Column("cron_due_at", Instant(), nullable=True),
        sa.Column("created_at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("account_id"),
        sa.UniqueConstraint("email"),
        sa.UniqueConstraint("key_sha256"),
        sa.UniqueConstraint("token_sha256"),
    )
    op.create_index("k_wire_cron", "wire_client", ["cron_due_at"])
    op.create_index("k_wire_seen", "wire_client", ["enabled", "seen_at"])
    op.create_table(
        "wire_media",
        sa.Column("id", BigKey, autoincrement=True, nullable=False),
        sa.Column("account_id", sa.Integer(), nullable=False),
        sa.Column("remote_id", BigKey, nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("adapter", sa.String(length=16), nullable=False),
        sa.Column("job_id", BigKey, nullable=False),
        sa.Column("created_at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("u_wire_media", "wire_media", ["account_id", "remote_id"], unique=True)
    op.create_index("ix_wire_media_job_id", "wire_media", ["job_id"])
    op.create_table(
        "wire_format",
        sa.Column("id", BigKey, autoincrement=True, nullable=False),
        sa.Column("wire_media_id", BigKey, nullable=False),
        sa.Column("setting", sa.Integer(), nullable=False),
        sa.Column("job_id", BigKey, nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("u_wire_format", "wire_format", ["wire_media_id", "setting"], unique=True)
    op.create_index("ix_wire_format_job_id", "wire_format", ["job_id"])
    op.create_table(
        "wire_application",
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("version", sa.String(length=32), nullable=False),
        sa.Column("denied", sa.Boolean(), nullable=False),
        sa.Column("seen_at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("name", "version"),
    )


def downgrade() -> None:
    for table in ("wire_application", "wire_format", "wire_media", "wire_client"):
        op.drop_table(table)
    op.drop_column("job", "callback_kind")
