"""Media that their owner wants kept for longer, or shorter, than the farm's rule says."""

import sqlalchemy as sa
from alembic import op

from omkt_pipeline.db.types import Instant

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("media", sa.Column("keep_until", Instant(), nullable=True))
    op.create_index("k_media_expiry", "media", ["state", "keep_until", "created_at"])
    op.drop_index("k_media_age", "media")


def downgrade() -> None:
    op.create_index("k_media_age", "media", ["state", "created_at"])
    op.drop_index("k_media_expiry", "media")
    op.drop_column("media", "keep_until")
