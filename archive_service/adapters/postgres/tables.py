"""The tables, as the first migration made them. ``tests/integration/postgres`` holds the two together.

Every table has ``tenant_id`` first in its key and a row-level policy on it; what belongs to the service as
a whole (the system log) belongs to the tenant ``SYSTEM_TENANT``.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Date,
    DateTime,
    ForeignKeyConstraint,
    Identity,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

metadata = MetaData()


def _moment(name: str, *, nullable: bool = False) -> Column[object]:
    return Column(name, DateTime(timezone=True), nullable=nullable)


tenants = Table(
    "tenants",
    metadata,
    Column("tenant_id", Uuid, primary_key=True),
    Column("slug", Text, nullable=False, unique=True),
    Column("name", Text, nullable=False),
    Column("profile", JSONB, nullable=False),
    Column("wrapped_key", LargeBinary, nullable=False),
    _moment("created_at"),
)

api_keys = Table(
    "api_keys",
    metadata,
    Column("tenant_id", Uuid, primary_key=True),
    Column("key_id", Uuid, primary_key=True),
    Column("name", Text, nullable=False),
    Column("prefix", Text, nullable=False, unique=True),
    Column("secret_sha256", LargeBinary, nullable=False),
    Column("scopes", ARRAY(Text), nullable=False),
    Column("agent", Text, nullable=False),  # the random token that journal entries name
    _moment("created_at"),
    _moment("expires_at", nullable=True),
    _moment("revoked_at", nullable=True),
    _moment("last_used_at", nullable=True),
    ForeignKeyConstraint(["tenant_id"], ["tenants.tenant_id"]),
)

deposits = Table(
    "deposits",
    metadata,
    Column("tenant_id", Uuid, primary_key=True),
    Column("deposit_id", Uuid, primary_key=True),
    Column("kind", Text, nullable=False),  # document, revision, refusal
    Column("record_id", Uuid, nullable=False),  # the record it makes, or the one it revises
    Column("client", Text, nullable=False),
    Column("agent", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("sha256", LargeBinary, nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("file_name", Text, nullable=True),
    Column("sent", JSONB, nullable=False),  # the metadata as the depositor sent them
    Column("fingerprint", LargeBinary, nullable=False),
    Column("problem", JSONB, nullable=True),
    Column("attempts", Integer, nullable=False, server_default="0"),
    _moment("received_at"),
    _moment("ended_at", nullable=True),
    ForeignKeyConstraint(["tenant_id"], ["tenants.tenant_id"]),
)

deposit_steps = Table(
    "deposit_steps",
    metadata,
    Column("tenant_id", Uuid, primary_key=True),
    Column("deposit_id", Uuid, primary_key=True),
    Column("step", Text, primary_key=True),
    Column("output", JSONB, nullable=False),
    _moment("kept_at"),
    ForeignKeyConstraint(["tenant_id", "deposit_id"], ["deposits.tenant_id", "deposits.deposit_id"]),
)

idempotency_keys = Table(
    "idempotency_keys",
    metadata,
    Column("tenant_id", Uuid, primary_key=True),
    Column("client", Text, primary_key=True),
    Column("key", Text, primary_key=True),
    Column("fingerprint", LargeBinary, nullable=False),
    Column("deposit_id", Uuid, nullable=False),
    _moment("created_at"),
    ForeignKeyConstraint(["tenant_id", "deposit_id"], ["deposits.tenant_id", "deposits.deposit_id"]),
)

number_claims = Table(
    "number_claims",
    metadata,
    Column("tenant_id", Uuid, primary_key=True),
    Column("seller", Text, primary_key=True),
    Column("year", Integer, primary_key=True),
    Column("number", Text, primary_key=True),
    Column("deposit_id", Uuid, nullable=False),
    ForeignKeyConstraint(["tenant_id", "deposit_id"], ["deposits.tenant_id", "deposits.deposit_id"]),
)

secrets = Table(
    "secrets",
    metadata,
    Column("tenant_id", Uuid, primary_key=True),
    Column("deposit_id", Uuid, primary_key=True),
    Column("wrapped", LargeBinary, nullable=False),
    ForeignKeyConstraint(["tenant_id", "deposit_id"], ["deposits.tenant_id", "deposits.deposit_id"]),
)

objects = Table(
    "objects",
    metadata,
    Column("tenant_id", Uuid, primary_key=True),
    Column("deposit_id", Uuid, primary_key=True),
    Column("role", Text, primary_key=True),
    Column("bucket", Text, nullable=False),
    Column("path", Text, nullable=False),
    Column("version_id", Text, nullable=False),
    Column("sha256", LargeBinary, nullable=False),  # of the bytes stored
    Column("size", BigInteger, nullable=False),
    Column("plain_sha256", LargeBinary, nullable=False),
    Column("plain_size", BigInteger, nullable=False),
    _moment("retain_until"),
    ForeignKeyConstraint(["tenant_id", "deposit_id"], ["deposits.tenant_id", "deposits.deposit_id"]),
)

records = Table(
    "records",
    metadata,
    Column("tenant_id", Uuid, primary_key=True),
    Column("record_id", Uuid, primary_key=True),
    Column("metadata", JSONB, nullable=False),
    Column("revision", Integer, nullable=False, server_default="0"),
    Column("original_sha256", LargeBinary, nullable=False),
    Column("number", Text, nullable=False),
    Column("number_folded", Text, nullable=False),
    Column("issue_date", Date, nullable=False),
    Column("financial_year_end", Date, nullable=False),
    Column("seller_folded", Text, nullable=False),
    Column("seller_siren", Text, nullable=True),
    Column("seller_vat_id", Text, nullable=True),
    Column("piece_ref_folded", Text, nullable=True),
    Column("piece_date", Date, nullable=True),
    Column("document_type", Text, nullable=False),
    Column("direction", Text, nullable=False),
    _moment("retain_until"),
    _moment("archived_at", nullable=True),  # when its receipt was durable; not shown before
    ForeignKeyConstraint(["tenant_id", "record_id"], ["deposits.tenant_id", "deposits.deposit_id"]),
)

logs = Table(
    "logs",
    metadata,
    Column("tenant_id", Uuid, primary_key=True),
    Column("log_id", Uuid, primary_key=True),
    Column("kind", Text, nullable=False),  # life-cycle, system
    Column("origin", Text, nullable=False, unique=True),
    Column("vkey", Text, nullable=False),
    Column("wrapped_signing_key", LargeBinary, nullable=False),
    Column("size", BigInteger, nullable=False, server_default="0"),
    Column("root", LargeBinary, nullable=True),
    Column("checkpoint", LargeBinary, nullable=True),
    _moment("created_at"),
    ForeignKeyConstraint(["tenant_id"], ["tenants.tenant_id"]),
    UniqueConstraint("tenant_id", "kind"),
)

log_entries = Table(
    "log_entries",
    metadata,
    Column("tenant_id", Uuid, primary_key=True),
    Column("log_id", Uuid, primary_key=True),
    Column("seq", BigInteger, Identity(always=True), primary_key=True),  # order of arrival, with gaps
    Column("entry_id", Uuid, nullable=False),
    Column("subject", Uuid, nullable=False),
    Column("action", Text, nullable=False),
    Column("leaf", LargeBinary, nullable=False),
    Column("idx", BigInteger, nullable=True),  # its place in the tree, once the order is fixed
    Column("proof", LargeBinary, nullable=True),  # tlog-proof against the checkpoint that first held it
    Column("published", Boolean, nullable=False, server_default="false"),
    _moment("created_at"),
    ForeignKeyConstraint(["tenant_id", "log_id"], ["logs.tenant_id", "logs.log_id"]),
    UniqueConstraint("tenant_id", "entry_id"),
    UniqueConstraint("tenant_id", "log_id", "idx"),
)

stamps = Table(
    "stamps",
    metadata,
    Column("tenant_id", Uuid, primary_key=True),
    Column("log_id", Uuid, primary_key=True),
    Column("size", BigInteger, primary_key=True),
    Column("checkpoint", LargeBinary, nullable=False),
    Column("statement", LargeBinary, nullable=False),
    Column("token", LargeBinary, nullable=False),
    Column("tsa", Text, nullable=False),
    _moment("token_time"),
    Column("published", Boolean, nullable=False, server_default="false"),
    ForeignKeyConstraint(["tenant_id", "log_id"], ["logs.tenant_id", "logs.log_id"]),
)
