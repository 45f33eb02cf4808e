"""Which events a job's own callback hears of."""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("job", sa.Column("callback_types", sa.JSON(), nullable=True))


def downgrade() -> None:
    op.drop_column("job", "callback_types")
