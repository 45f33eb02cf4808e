"""Keys that may do less than everything, and end by themselves. Those that exist keep their rights."""

import sqlalchemy as sa
from alembic import op

from omkt_pipeline.db.types import Instant

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("api_key", sa.Column("scope", sa.String(length=16), nullable=False, server_default="admin"))
    op.add_column("api_key", sa.Column("expires_at", Instant(), nullable=True))


def downgrade() -> None:
    op.drop_column("api_key", "expires_at")
    op.drop_column("api_key", "scope")
