"""Indexes by what is asked: comparisons by their time; no longer metrics by name, as histories go by runs."""

from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Bring the schema to this revision."""
    op.drop_index("metrics_history", "metrics")
    op.create_index("comparisons_by_time", "comparisons", ["made_at"])


def downgrade() -> None:
    """Take the schema back to the revision before."""
    op.drop_index("comparisons_by_time", "comparisons")
    op.create_index("metrics_history", "metrics", ["project", "analysis", "name"])
