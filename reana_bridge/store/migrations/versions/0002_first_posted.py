"""When a report was first shown, for the time from push to first status."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Bring the schema to this revision."""
    op.add_column("outbox", sa.Column("first_posted_at", sa.Float(), nullable=True))


def downgrade() -> None:
    """Take the schema back to the revision before."""
    op.drop_column("outbox", "first_posted_at")
