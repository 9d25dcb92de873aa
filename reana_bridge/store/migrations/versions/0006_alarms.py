"""The rules that runs broke."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def _text(name: str) -> "sa.Column[str]":
    return sa.Column(name, sa.String(), nullable=False)


def upgrade() -> None:
    """Bring the schema to this revision."""
    op.create_table(
        "alarms",
        sa.Column("run_id", sa.String(), sa.ForeignKey("runs.id"), primary_key=True),
        sa.Column("place", sa.Integer(), primary_key=True, autoincrement=False),
        *map(_text, ("metric", "pattern", "rule", "effect")),
        sa.Column("accepted", sa.Boolean(), nullable=False),
        sa.Column("accepted_in", sa.Integer(), nullable=True),
    )


def downgrade() -> None:
    """Take the schema back to the revision before."""
    op.drop_table("alarms")
