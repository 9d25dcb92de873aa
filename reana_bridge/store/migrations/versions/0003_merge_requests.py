"""Merge requests, approvals, hooks, uploads, pauses and rate limits: what hosted forges need."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_TABLES = ("merge_requests", "approvals", "hooks", "uploads", "pauses", "rate_limits")


def _text(name: str) -> "sa.Column[str]":
    return sa.Column(name, sa.String(), nullable=False)


def _key(name: str) -> "sa.Column[str]":
    return sa.Column(name, sa.String(), primary_key=True)


def _time(name: str, *, nullable: bool = False) -> "sa.Column[float]":
    return sa.Column(name, sa.Float(), nullable=nullable)


def _bool(name: str) -> "sa.Column[bool]":
    return sa.Column(name, sa.Boolean(), nullable=False)


def upgrade() -> None:
    """Bring the schema to this revision."""
    op.drop_column("projects", "paused")  # nothing ever set it; pauses have a table
    op.add_column("projects", sa.Column("forge_id", sa.String(), nullable=False, server_default=""))
    op.add_column("projects", sa.Column("private", sa.Boolean(), nullable=False, server_default=sa.true()))
    op.add_column("runs", sa.Column("approved_by", sa.String(), nullable=False, server_default=""))
    op.add_column("runs", sa.Column("merge_request", sa.Integer(), nullable=True))
    op.add_column("runs", sa.Column("compare_again", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.add_column("outbox", sa.Column("merge_request", sa.Integer(), nullable=True))
    op.add_column("outbox", sa.Column("remembered", sa.JSON(), nullable=True))
    op.add_column("outbox", sa.Column("shadow", sa.JSON(), nullable=True))
    op.create_table(
        "merge_requests",
        _key("project"),
        sa.Column("number", sa.Integer(), primary_key=True, autoincrement=False),
        *map(_text, ("ref", "sha", "source_branch", "source_project_id", "target_branch", "author")),
        *map(_bool, ("fork", "draft", "open")),
        sa.Column("labels", sa.JSON(), nullable=True),
        _time("seen_at"),
    )
    op.create_index("merge_requests_by_ref", "merge_requests", ["project", "ref"])
    op.create_index("merge_requests_by_sha", "merge_requests", ["project", "sha"])
    op.create_table(
        "approvals",
        _key("project"),
        sa.Column("number", sa.Integer(), primary_key=True, autoincrement=False),
        _key("sha"),
        _text("approved_by"),
        _time("approved_at"),
    )
    op.create_table(
        "hooks",
        sa.Column("id", sa.String(26), primary_key=True),
        *map(_text, ("forge", "project", "project_id", "remote_id", "problem")),
        sa.Column("generation", sa.Integer(), nullable=False),
        _bool("signed"),
        _time("made_at"),
        _time("rotated_at", nullable=True),
        _time("looked_at", nullable=True),
        sa.UniqueConstraint("forge", "project", name="one_hook_a_project"),
    )
    op.create_table("uploads", _key("project"), _key("digest"), _text("link"), _time("uploaded_at"))
    op.create_table("pauses", _key("kind"), _key("name"), _text("reason"), _text("paused_by"), _time("since"))
    op.create_table(
        "rate_limits",
        _key("forge"),
        _text("reason"),
        _time("until", nullable=True),
        _time("seen_at"),
    )


def downgrade() -> None:
    """Take the schema back to the revision before."""
    for table in _TABLES:
        op.drop_table(table)
    for table, column in (
        ("outbox", "shadow"),
        ("outbox", "remembered"),
        ("outbox", "merge_request"),
        ("runs", "compare_again"),
        ("runs", "merge_request"),
        ("runs", "approved_by"),
        ("projects", "private"),
        ("projects", "forge_id"),
    ):
        op.drop_column(table, column)
    op.add_column("projects", sa.Column("paused", sa.String(), nullable=False, server_default=""))
