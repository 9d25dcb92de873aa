"""What people accept in merge requests."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def _text(name: str) -> "sa.Column[str]":
    return sa.Column(name, sa.String(), nullable=False)


def upgrade() -> None:
    """Bring the schema to this revision."""
    op.create_table(
        "acceptances",
        sa.Column("id", sa.String(26), primary_key=True),
        *map(
            _text, ("project", "analysis", "metric", "reason", "accepted_by", "sha", "comment", "merged_sha")
        ),
        sa.Column("merge_request", sa.Integer(), nullable=False),
        sa.Column("value", sa.JSON(), nullable=True),
        sa.Column("baseline", sa.JSON(), nullable=True),
        sa.Column("accepted_at", sa.Float(), nullable=False),
        sa.Column("run_id", sa.String(26), sa.ForeignKey("runs.id"), nullable=False),
        sa.Column("place", sa.Integer(), nullable=False),
        sa.UniqueConstraint("project", "merge_request", "comment", "place", name="one_acceptance_a_command"),
    )
    op.create_index("acceptances_of_analysis", "acceptances", ["project", "analysis", "merged_sha"])


def downgrade() -> None:
    """Take the schema back to the revision before."""
    op.drop_table("acceptances")
