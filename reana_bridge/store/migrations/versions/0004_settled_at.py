"""Until when a call to a forge that got no answer may still come to be."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Bring the schema to this revision."""
    op.add_column("outbox", sa.Column("settled_at", sa.Float(), nullable=True))


def downgrade() -> None:
    """Take the schema back to the revision before."""
    op.drop_column("outbox", "settled_at")
