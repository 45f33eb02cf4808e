"""The farm: accounts, media, jobs, the queue and the outbox."""

from typing import Any

import sqlalchemy as sa
from alembic import op

from omkt_pipeline.db.types import BigKey, Instant, Token

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

# Keys and tokens differ in case: they are compared byte by byte, as SQLite does.
MYSQL: dict[str, Any] = {"mysql_engine": "InnoDB", "mysql_charset": "utf8mb4", "mysql_collate": "utf8mb4_bin"}


def upgrade() -> None:
    op.create_table(
        "account",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("weight", sa.Double(), nullable=False),
        sa.Column("webhook_secret", sa.String(length=128), nullable=False),
        sa.Column("created_at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("name"),
        **MYSQL,
    )
    op.create_table(
        "api_key",
        sa.Column("id", sa.String(length=16), nullable=False),
        sa.Column("account_id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("secret_sha256", sa.String(length=64), nullable=False),
        sa.Column("created_at", Instant(), nullable=False),
        sa.Column("used_at", Instant(), nullable=True),
        sa.Column("revoked_at", Instant(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
        **MYSQL,
    )
    op.create_index(op.f("ix_api_key_account_id"), "api_key", ["account_id"], unique=False)
    op.create_table(
        "artifact",
        sa.Column("id", BigKey, autoincrement=True, nullable=False),
        sa.Column("task_id", BigKey, nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("path", sa.String(length=255), nullable=False),
        sa.Column("bytes", BigKey, nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        **MYSQL,
    )
    op.create_index("u_artifact", "artifact", ["task_id", "path"], unique=True)
    op.create_table(
        "delivery",
        sa.Column("id", BigKey, autoincrement=True, nullable=False),
        sa.Column("outbox_id", BigKey, nullable=False),
        sa.Column("at", Instant(), nullable=False),
        sa.Column("status", sa.Integer(), nullable=True),
        sa.Column("error", sa.String(length=255), nullable=True),
        sa.Column("seconds", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        **MYSQL,
    )
    op.create_index("k_delivery_outbox", "delivery", ["outbox_id", "id"], unique=False)
    op.create_table(
        "fair_share",
        sa.Column("account_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("pool", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("vtime", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("account_id", "pool"),
        **MYSQL,
    )
    op.create_table(
        "farm",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("farm_id", sa.String(length=36), nullable=False),
        sa.Column("link_key", Token, nullable=False),
        sa.Column("created_at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        **MYSQL,
    )
    op.create_table(
        "idempotency",
        sa.Column("account_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("request_key", sa.String(length=128), nullable=False),
        sa.Column("fingerprint", sa.String(length=64), nullable=False),
        sa.Column("job_id", BigKey, nullable=False),
        sa.Column("created_at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("account_id", "request_key"),
        **MYSQL,
    )
    op.create_index("k_idempotency_age", "idempotency", ["created_at"], unique=False)
    op.create_table(
        "job",
        sa.Column("id", BigKey, autoincrement=True, nullable=False),
        sa.Column("job_key", sa.String(length=26), nullable=False),
        sa.Column("account_id", sa.Integer(), nullable=False),
        sa.Column("media_id", BigKey, nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("band", sa.Integer(), nullable=False),
        sa.Column("presets", sa.JSON(), nullable=False),
        sa.Column("callback_url", sa.Text(), nullable=True),
        sa.Column("client_data", sa.Text(), nullable=True),
        sa.Column("decisions", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("error_code", sa.String(length=64), nullable=True),
        sa.Column("error_message", sa.Text(), nullable=True),
        sa.Column("events", sa.Integer(), nullable=False),
        sa.Column("swept", sa.Boolean(), nullable=False),
        sa.Column("created_at", Instant(), nullable=False),
        sa.Column("started_at", Instant(), nullable=True),
        sa.Column("finished_at", Instant(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("job_key"),
        **MYSQL,
    )
    op.create_index("k_job_account", "job", ["account_id", "id"], unique=False)
    op.create_index("k_job_account_state", "job", ["account_id", "state", "id"], unique=False)
    op.create_index("k_job_ended", "job", ["state", "finished_at"], unique=False)
    op.create_index("k_job_media", "job", ["media_id"], unique=False)
    op.create_index("k_job_sweep", "job", ["swept", "state", "id"], unique=False)
    op.create_table(
        "media",
        sa.Column("id", BigKey, autoincrement=True, nullable=False),
        sa.Column("media_key", sa.String(length=26), nullable=False),
        sa.Column("account_id", sa.Integer(), nullable=False),
        sa.Column("source_kind", sa.String(length=8), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("name", sa.String(length=255), nullable=True),
        sa.Column("path", sa.String(length=1100), nullable=True),
        sa.Column("bytes", BigKey, nullable=True),
        sa.Column("sha256", sa.String(length=64), nullable=True),
        sa.Column("state", sa.Integer(), nullable=False),
        sa.Column("facts", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("raw_probe", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("created_at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("media_key"),
        **MYSQL,
    )
    op.create_index("k_media_age", "media", ["state", "created_at"], unique=False)
    op.create_table(
        "outbox",
        sa.Column("id", BigKey, autoincrement=True, nullable=False),
        sa.Column("account_id", sa.Integer(), nullable=False),
        sa.Column("job_id", BigKey, nullable=False),
        sa.Column("message_id", sa.String(length=36), nullable=False),
        sa.Column("topic", sa.String(length=48), nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("body", sa.JSON(), nullable=False),
        sa.Column("state", sa.Integer(), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("run_at", Instant(), nullable=False),
        sa.Column("lease_token", Token, nullable=True),
        sa.Column("created_at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("message_id"),
        **MYSQL,
    )
    op.create_index("k_outbox_due", "outbox", ["state", "run_at", "id"], unique=False)
    op.create_index("k_outbox_job", "outbox", ["job_id", "id"], unique=False)
    op.create_table(
        "output",
        sa.Column("id", BigKey, autoincrement=True, nullable=False),
        sa.Column("job_id", BigKey, nullable=False),
        sa.Column("output_key", sa.String(length=64), nullable=False),
        sa.Column("preset", sa.String(length=64), nullable=False),
        sa.Column("preset_version", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("task_id", BigKey, nullable=True),
        sa.Column("folder", sa.String(length=255), nullable=True),
        sa.Column("entry", sa.String(length=255), nullable=True),
        sa.Column("bytes", BigKey, nullable=True),
        sa.Column("result", sa.JSON(none_as_null=True), nullable=True),
        sa.PrimaryKeyConstraint("id"),
        **MYSQL,
    )
    op.create_index("u_output", "output", ["job_id", "output_key"], unique=True)
    op.create_table(
        "task",
        sa.Column("id", BigKey, autoincrement=True, nullable=False),
        sa.Column("job_id", BigKey, nullable=False),
        sa.Column("job_key", sa.String(length=26), nullable=False),
        sa.Column("media_id", BigKey, nullable=False),
        sa.Column("account_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("plan_key", sa.String(length=64), nullable=False),
        sa.Column("output_key", sa.String(length=64), nullable=True),
        sa.Column("pool", sa.Integer(), nullable=False),
        sa.Column("spec", sa.JSON(), nullable=False),
        sa.Column("state", sa.Integer(), nullable=False),
        sa.Column("band", sa.Integer(), nullable=False),
        sa.Column("fair_key", sa.Double(), nullable=False),
        sa.Column("cost", sa.Double(), nullable=False),
        sa.Column("run_at", Instant(), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("losses", sa.Integer(), nullable=False),
        sa.Column("lease_token", Token, nullable=True),
        sa.Column("lease_until", Instant(), nullable=True),
        sa.Column("worker_id", BigKey, nullable=True),
        sa.Column("avoid_host", sa.String(length=255), nullable=True),
        sa.Column("progress", sa.Double(), nullable=False),
        sa.Column("cancel_requested", sa.Boolean(), nullable=False),
        sa.Column("published_attempt", sa.Integer(), nullable=True),
        sa.Column("folder", sa.String(length=255), nullable=True),
        sa.Column("facts", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("reason", sa.String(length=64), nullable=True),
        sa.Column("message", sa.Text(), nullable=True),
        sa.Column("created_at", Instant(), nullable=False),
        sa.Column("finished_at", Instant(), nullable=True),
        sa.CheckConstraint("(state = 3) = (lease_token IS NOT NULL)", name="leased_exactly_while_running"),
        sa.CheckConstraint("(state = 4) = (published_attempt IS NOT NULL)", name="published_exactly_when_done"),
        sa.PrimaryKeyConstraint("id"),
        **MYSQL,
    )
    op.create_index("k_claim", "task", ["state", "pool", "band", "fair_key", "id"], unique=False)
    op.create_index("k_due", "task", ["state", "run_at", "id"], unique=False)
    op.create_index("k_lease", "task", ["state", "lease_until", "id"], unique=False)
    op.create_index("k_task_job", "task", ["job_id", "id"], unique=False)
    op.create_table(
        "task_attempt",
        sa.Column("task_id", BigKey, autoincrement=False, nullable=False),
        sa.Column("attempt", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("token", Token, nullable=False),
        sa.Column("worker_id", BigKey, nullable=False),
        sa.Column("host", sa.String(length=255), nullable=False),
        sa.Column("started_at", Instant(), nullable=False),
        sa.Column("ended_at", Instant(), nullable=True),
        sa.Column("outcome", sa.String(length=16), nullable=True),
        sa.Column("error_code", sa.String(length=64), nullable=True),
        sa.Column("message", sa.Text(), nullable=True),
        sa.Column("log_tail", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("task_id", "attempt"),
        sa.UniqueConstraint("token"),
        **MYSQL,
    )
    op.create_table(
        "task_edge",
        sa.Column("task_id", BigKey, autoincrement=False, nullable=False),
        sa.Column("needs_id", BigKey, autoincrement=False, nullable=False),
        sa.PrimaryKeyConstraint("task_id", "needs_id"),
        **MYSQL,
    )
    op.create_index("k_edge_needs", "task_edge", ["needs_id", "task_id"], unique=False)
    op.create_table(
        "worker",
        sa.Column("id", BigKey, autoincrement=True, nullable=False),
        sa.Column("boot_id", Token, nullable=False),
        sa.Column("host", sa.String(length=255), nullable=False),
        sa.Column("pool", sa.Integer(), nullable=False),
        sa.Column("version", sa.String(length=32), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("note", sa.String(length=255), nullable=True),
        sa.Column("ordered", sa.String(length=16), nullable=True),
        sa.Column("slots", sa.Integer(), nullable=False),
        sa.Column("facts", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("started_at", Instant(), nullable=False),
        sa.Column("seen_at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("boot_id"),
        **MYSQL,
    )
    op.create_index("k_worker_seen", "worker", ["state", "seen_at"], unique=False)


def downgrade() -> None:
    op.drop_index("k_worker_seen", table_name="worker")
    op.drop_table("worker")
    op.drop_index("k_edge_needs", table_name="task_edge")
    op.drop_table("task_edge")
    op.drop_table("task_attempt")
    op.drop_index("k_task_job", table_name="task")
    op.drop_index("k_lease", table_name="task")
    op.drop_index("k_due", table_name="task")
    op.drop_index("k_claim", table_name="task")
    op.drop_table("task")
    op.drop_index("u_output", table_name="output")
    op.drop_table("output")
    op.drop_index("k_outbox_job", table_name="outbox")
    op.drop_index("k_outbox_due", table_name="outbox")
    op.drop_table("outbox")
    op.drop_index("k_media_age", table_name="media")
    op.drop_table("media")
    op.drop_index("k_job_sweep", table_name="job")
    op.drop_index("k_job_media", table_name="job")
    op.drop_index("k_job_ended", table_name="job")
    op.drop_index("k_job_account_state", table_name="job")
    op.drop_index("k_job_account", table_name="job")
    op.drop_table("job")
    op.drop_index("k_idempotency_age", table_name="idempotency")
    op.drop_table("idempotency")
    op.drop_table("farm")
    op.drop_table("fair_share")
    op.drop_index("k_delivery_outbox", table_name="delivery")
    op.drop_table("delivery")
    op.drop_index("u_artifact", table_name="artifact")
    op.drop_table("artifact")
    op.drop_index(op.f("ix_api_key_account_id"), table_name="api_key")
    op.drop_table("api_key")
    op.drop_table("account")
