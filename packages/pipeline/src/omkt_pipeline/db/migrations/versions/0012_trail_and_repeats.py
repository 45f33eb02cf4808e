"""A trail of what was changed by whom; limits of tasks at a time; media by their content; outputs that are added later."""

import sqlalchemy as sa
from alembic import op

from omkt_pipeline.db.types import BigKey, Instant

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("account", sa.Column("max_running", sa.Integer(), nullable=True))
    op.create_table(
        "trail",
        sa.Column("id", BigKey, primary_key=True, autoincrement=True),
        sa.Column("account_id", sa.Integer(), nullable=True),
        sa.Column("key_id", sa.String(16), nullable=True),
        sa.Column("address", sa.String(64), nullable=True),
        sa.Column("action", sa.String(48), nullable=False),
        sa.Column("target", sa.String(255), nullable=False),
        sa.Column("at", Instant(), nullable=False),
    )
    op.create_index("k_trail_account", "trail", ["account_id", "id"])
    op.create_index("k_trail_age", "trail", ["at"])
    op.create_index("k_media_content", "media", ["account_id", "sha256"])
    op.add_column("job", sa.Column("added", sa.JSON(), nullable=True))
    op.add_column("output", sa.Column("recipe", sa.String(64), nullable=True))


def downgrade() -> None:
    op.drop_column("output", "recipe")
    op.drop_column("job", "added")
    op.drop_index("k_media_content", "media")
    op.drop_table("trail")
    op.drop_column("account", "max_running")
