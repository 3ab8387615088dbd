"""Tenants behind forced row-level security, deposits with their steps, records, journal, job queue.

The application's role owns nothing and sees one tenant at a time: the one that the transaction names in
``app.tenant``. What must be found before a tenant is known goes through the SECURITY DEFINER functions
below, each of which gives back identifiers and nothing personal.
"""

from __future__ import annotations

from pathlib import Path

import procrastinate
import sqlalchemy as sa
from alembic import context, op

revision = "0001"
down_revision = None

TENANT = "NULLIF(current_setting('app.tenant', true), '')::uuid"

TABLES = """
CREATE TABLE tenants (
    tenant_id uuid PRIMARY KEY,
    slug text NOT NULL UNIQUE,
    name text NOT NULL,
    profile jsonb NOT NULL,
    wrapped_key bytea NOT NULL,
    created_at timestamptz NOT NULL
);
CREATE TABLE api_keys (
    tenant_id uuid NOT NULL REFERENCES tenants,
    key_id uuid NOT NULL,
    name text NOT NULL,
    prefix text NOT NULL UNIQUE,
    secret_sha256 bytea NOT NULL,
    scopes text[] NOT NULL,
    agent text NOT NULL,
    created_at timestamptz NOT NULL,
    expires_at timestamptz,
    revoked_at timestamptz,
    last_used_at timestamptz,
    PRIMARY KEY (tenant_id, key_id)
);
CREATE TABLE deposits (
    tenant_id uuid NOT NULL REFERENCES tenants,
    deposit_id uuid NOT NULL,
    kind text NOT NULL CHECK (kind IN ('document', 'revision', 'refusal')),
    record_id uuid NOT NULL,
    client text NOT NULL,
    agent text NOT NULL,
    state text NOT NULL CHECK (state IN ('received', 'archived', 'rejected')),
    sha256 bytea NOT NULL CHECK (octet_length(sha256) = 32),
    size bigint NOT NULL,
    file_name text,
    sent jsonb NOT NULL,
    fingerprint bytea NOT NULL,
    problem jsonb,
    attempts integer NOT NULL DEFAULT 0,
    received_at timestamptz NOT NULL,
    ended_at timestamptz,
    PRIMARY KEY (tenant_id, deposit_id),
    CHECK ((state = 'received') = (ended_at IS NULL))
);
-- The same bytes are one record: a second deposit of them finds the first, even while that is under way.
CREATE UNIQUE INDEX deposits_same_bytes ON deposits (tenant_id, sha256)
    WHERE kind = 'document' AND state IN ('received', 'archived');
CREATE INDEX deposits_open ON deposits (tenant_id, received_at) WHERE state = 'received';
CREATE TABLE deposit_steps (
    tenant_id uuid NOT NULL,
    deposit_id uuid NOT NULL,
    step text NOT NULL,
    output jsonb NOT NULL,
    kept_at timestamptz NOT NULL,
    PRIMARY KEY (tenant_id, deposit_id, step),
    FOREIGN KEY (tenant_id, deposit_id) REFERENCES deposits
);
CREATE TABLE idempotency_keys (
    tenant_id uuid NOT NULL,
    client text NOT NULL,
    key text NOT NULL,
    fingerprint bytea NOT NULL,
    deposit_id uuid NOT NULL,
    created_at timestamptz NOT NULL,
    PRIMARY KEY (tenant_id, client, key),
    FOREIGN KEY (tenant_id, deposit_id) REFERENCES deposits
);
CREATE TABLE number_claims (
    tenant_id uuid NOT NULL,
    seller text NOT NULL,
    year integer NOT NULL,
    number text NOT NULL,
    deposit_id uuid NOT NULL,
    PRIMARY KEY (tenant_id, seller, year, number),
    FOREIGN KEY (tenant_id, deposit_id) REFERENCES deposits
);
CREATE TABLE secrets (
    tenant_id uuid NOT NULL,
    deposit_id uuid NOT NULL,
    wrapped bytea NOT NULL,
    PRIMARY KEY (tenant_id, deposit_id),
    FOREIGN KEY (tenant_id, deposit_id) REFERENCES deposits
);
CREATE TABLE objects (
    tenant_id uuid NOT NULL,
    deposit_id uuid NOT NULL,
    role text NOT NULL,
    bucket text NOT NULL,
    path text NOT NULL,
    version_id text NOT NULL,
    sha256 bytea NOT NULL CHECK (octet_length(sha256) = 32),
    size bigint NOT NULL,
    plain_sha256 bytea NOT NULL CHECK (octet_length(plain_sha256) = 32),
    plain_size bigint NOT NULL,
    retain_until timestamptz NOT NULL,
    PRIMARY KEY (tenant_id, deposit_id, role),
    FOREIGN KEY (tenant_id, deposit_id) REFERENCES deposits
);
CREATE TABLE records (
    tenant_id uuid NOT NULL,
    record_id uuid NOT NULL,
    metadata jsonb NOT NULL,
    revision integer NOT NULL DEFAULT 0,
    original_sha256 bytea NOT NULL CHECK (octet_length(original_sha256) = 32),
    number text NOT NULL,
    number_folded text NOT NULL,
    issue_date date NOT NULL,
    financial_year_end date NOT NULL,
    seller_folded text NOT NULL,
    seller_siren text,
    seller_vat_id text,
    piece_ref_folded text,
    piece_date date,
    document_type text NOT NULL,
    direction text NOT NULL,
    retain_until timestamptz NOT NULL,
    archived_at timestamptz,
    PRIMARY KEY (tenant_id, record_id),
    FOREIGN KEY (tenant_id, record_id) REFERENCES deposits (tenant_id, deposit_id)
);
CREATE INDEX records_by_number ON records (tenant_id, number_folded);
CREATE INDEX records_by_date ON records (tenant_id, issue_date, record_id);
CREATE INDEX records_by_sha256 ON records (tenant_id, original_sha256);
CREATE INDEX records_by_siren ON records (tenant_id, seller_siren);
CREATE INDEX records_by_piece ON records (tenant_id, piece_ref_folded);
CREATE TABLE logs (
    tenant_id uuid NOT NULL REFERENCES tenants,
    log_id uuid NOT NULL,
    kind text NOT NULL CHECK (kind IN ('life-cycle', 'system')),
    origin text NOT NULL UNIQUE,
    vkey text NOT NULL,
    wrapped_signing_key bytea NOT NULL,
    size bigint NOT NULL DEFAULT 0,
    root bytea,
    checkpoint bytea,
    created_at timestamptz NOT NULL,
    PRIMARY KEY (tenant_id, log_id),
    UNIQUE (tenant_id, kind)
);
CREATE TABLE log_entries (
    tenant_id uuid NOT NULL,
    log_id uuid NOT NULL,
    seq bigint GENERATED ALWAYS AS IDENTITY,
    entry_id uuid NOT NULL,
    subject uuid NOT NULL,
    action text NOT NULL,
    leaf bytea NOT NULL,
    idx bigint,
    proof bytea,
    published boolean NOT NULL DEFAULT false,
    created_at timestamptz NOT NULL,
    PRIMARY KEY (tenant_id, log_id, seq),
    FOREIGN KEY (tenant_id, log_id) REFERENCES logs,
    UNIQUE (tenant_id, entry_id),
    UNIQUE (tenant_id, log_id, idx)
);
CREATE INDEX log_entries_pending ON log_entries (tenant_id, log_id, seq) WHERE NOT published;
CREATE INDEX log_entries_subject ON log_entries (tenant_id, subject);
CREATE TABLE stamps (
    tenant_id uuid NOT NULL,
    log_id uuid NOT NULL,
    size bigint NOT NULL,
    checkpoint bytea NOT NULL,
    statement bytea NOT NULL,
    token bytea NOT NULL,
    tsa text NOT NULL,
    token_time timestamptz NOT NULL,
    published boolean NOT NULL DEFAULT false,
    PRIMARY KEY (tenant_id, log_id, size),
    FOREIGN KEY (tenant_id, log_id) REFERENCES logs
);
"""

ISOLATED = (
    "tenants", "api_keys", "deposits", "deposit_steps", "idempotency_keys", "number_claims", "secrets",
    "objects", "records", "logs", "log_entries", "stamps",
)  # fmt: skip

# The tables that the look-ups below read on behalf of the owner, who is subject to forced RLS as well.
LOOKED_UP = ("tenants", "api_keys", "deposits", "logs", "log_entries")

# What the application may do where it is less than read, insert and update. Nothing is ever deleted but
# what expires or is given up: an idempotency key, a claim on a number.
DELETABLE = ("idempotency_keys", "number_claims")

LOOK_UPS = {
    "archive_find_api_key(p_prefix text)": """
        RETURNS TABLE (tenant_id uuid, key_id uuid, secret_sha256 bytea) LANGUAGE sql STABLE
        SECURITY DEFINER SET search_path = public, pg_temp AS $$
            SELECT k.tenant_id, k.key_id, k.secret_sha256 FROM api_keys k WHERE k.prefix = p_prefix $$""",
    "archive_find_tenant(p_slug text)": """
        RETURNS uuid LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
            SELECT t.tenant_id FROM tenants t WHERE t.slug = p_slug $$""",
    "archive_list_tenants()": """
        RETURNS TABLE (tenant_id uuid, slug text) LANGUAGE sql STABLE
        SECURITY DEFINER SET search_path = public, pg_temp AS $$
            SELECT t.tenant_id, t.slug FROM tenants t ORDER BY t.slug $$""",
    "archive_find_log(p_log uuid)": """
        RETURNS uuid LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
            SELECT l.tenant_id FROM logs l WHERE l.log_id = p_log $$""",
    "archive_list_logs()": """
        RETURNS TABLE (tenant_id uuid, log_id uuid, pending bigint) LANGUAGE sql STABLE
        SECURITY DEFINER SET search_path = public, pg_temp AS $$
            SELECT l.tenant_id, l.log_id,
                   (SELECT count(*) FROM log_entries e
                    WHERE e.tenant_id = l.tenant_id AND e.log_id = l.log_id AND NOT e.published)
            FROM logs l $$""",
    "archive_open_deposits(p_before timestamptz)": """
        RETURNS TABLE (tenant_id uuid, deposit_id uuid) LANGUAGE sql STABLE
        SECURITY DEFINER SET search_path = public, pg_temp AS $$
            SELECT d.tenant_id, d.deposit_id FROM deposits d
            WHERE d.state = 'received' AND d.received_at < p_before ORDER BY d.received_at LIMIT 1000 $$""",
    "archive_count_deposits()": """
        RETURNS TABLE (state text, deposits bigint) LANGUAGE sql STABLE
        SECURITY DEFINER SET search_path = public, pg_temp AS $$
            SELECT d.state, count(*) FROM deposits d GROUP BY d.state $$""",
}


def _application_role() -> str:
    return str(context.config.attributes["application_role"])


def _execute_script(sql: str) -> None:
    op.get_bind().exec_driver_sql(sql.replace("%", "%%"))


def upgrade() -> None:
    """Make everything, then let the application's role in by name."""
    quote = sa.create_mock_engine("postgresql+psycopg://", lambda *_: None).dialect.identifier_preparer.quote
    role, owner = quote(_application_role()), "CURRENT_USER"
    _execute_script(TABLES)
    for table in ISOLATED:
        _execute_script(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
        _execute_script(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
        _execute_script(
            f"CREATE POLICY tenant ON {table} TO {role} "
            f"USING (tenant_id = {TENANT}) WITH CHECK (tenant_id = {TENANT})"
        )
        _execute_script(f"GRANT SELECT, INSERT, UPDATE ON {table} TO {role}")
    for table in LOOKED_UP:
        _execute_script(f"CREATE POLICY look_up ON {table} FOR SELECT TO {owner} USING (true)")
    for table in DELETABLE:
        _execute_script(f"GRANT DELETE ON {table} TO {role}")
    for signature, body in LOOK_UPS.items():
        _execute_script(f"CREATE FUNCTION {signature} {body}")
        name = signature.split("(", maxsplit=1)[0]
        _execute_script(f"REVOKE ALL ON FUNCTION {name} FROM PUBLIC")
        _execute_script(f"GRANT EXECUTE ON FUNCTION {name} TO {role}")
    _execute_script((Path(procrastinate.__file__).parent / "sql" / "schema.sql").read_text(encoding="utf-8"))
    for table in ("jobs", "events", "workers", "periodic_defers"):
        _execute_script(f"GRANT SELECT, INSERT, UPDATE, DELETE ON procrastinate_{table} TO {role}")
    _execute_script(f"GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO {role}")
