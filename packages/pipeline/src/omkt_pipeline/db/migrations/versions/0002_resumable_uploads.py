"""Resumable uploads, and the order in which an account's media are listed."""

from typing import Any

import sqlalchemy as sa
from alembic import op

from omkt_pipeline.db.types import BigKey, Instant, Token

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

MYSQL: dict[str, Any] = {"mysql_engine": "InnoDB", "mysql_charset": "utf8mb4", "mysql_collate": "utf8mb4_bin"}


def upgrade() -> None:
    op.create_table(
        "upload",
        sa.Column("media_id", BigKey, autoincrement=False, nullable=False),
        sa.Column("length", BigKey, nullable=False),
        sa.Column("received", BigKey, nullable=False),
        sa.Column("metadata_text", sa.Text(), nullable=True),
        sa.Column("lease_token", Token, nullable=True),
        sa.Column("lease_until", Instant(), nullable=True),
        sa.Column("expires_at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("media_id"),
        **MYSQL,
    )
    op.create_index("k_upload_expiry", "upload", ["expires_at"], unique=False)
    op.create_index("k_media_account", "media", ["account_id", "id"], unique=False)


def downgrade() -> None:
    op.drop_index("k_media_account", table_name="media")
    op.drop_index("k_upload_expiry", table_name="upload")
    op.drop_table("upload")
