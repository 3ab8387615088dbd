"""PostgreSQL: deposits and their steps, records, journal entries, tenants. One role that owns nothing."""
