"""The checks of `verify` that what guards the tables is in place: triggers, functions, constraints and indexes."""

from __future__ import annotations

from setia.ledger.check import Check
from setia.ledger.guards import GUARDS

# What is there now, in terms that are the same in every version of PostgreSQL: names, columns and flags, and for a
# function the text that it was made from. How the server would write a definition out differs between versions.
CATALOGUE = """
    SELECT 'trigger' AS sort, t.tgrelid AS relation, t.tgname::text AS name,
           t.tgenabled IN ('O', 'A') AS works,
           format('calls %s on %s of (%s)%s', f.proname, t.tgtype,
                  (SELECT string_agg(a.attname, ' ' ORDER BY a.attname) FROM pg_attribute a
                   WHERE a.attrelid = t.tgrelid AND a.attnum = ANY (t.tgattr::int2[])),
                  CASE WHEN t.tgqual IS NOT NULL THEN ' when' END) AS shape
    FROM pg_trigger t JOIN pg_proc f ON f.oid = t.tgfoid WHERE NOT t.tgisinternal
    UNION ALL
    SELECT 'constraint', c.conrelid, c.conname::text, c.convalidated,
           format('%s of (%s)%s', c.contype,
                  (SELECT string_agg(a.attname, ' ' ORDER BY a.attname) FROM pg_attribute a
                   WHERE a.attrelid = c.conrelid AND a.attnum = ANY (c.conkey)),
                  ' in ' || (SELECT r.relname FROM pg_class r WHERE r.oid = c.confrelid))
    FROM pg_constraint c WHERE c.contype IN ('p', 'u', 'c', 'f')
    UNION ALL
    SELECT 'index', i.indrelid, r.relname::text, i.indisvalid AND i.indisready,
           format('%s of (%s)%s', CASE WHEN i.indisunique THEN 'unique' ELSE 'index' END,
                  (SELECT string_agg(a.attname, ' ' ORDER BY a.attname) FROM pg_attribute a
                   WHERE a.attrelid = i.indrelid AND a.attnum = ANY (i.indkey::int2[])),
                  CASE WHEN i.indpred IS NOT NULL THEN ' where' END)
    FROM pg_index i JOIN pg_class r ON r.oid = i.indexrelid
    UNION ALL
    SELECT 'function', NULL, p.proname::text, true,
           format('%s%s%s', md5(p.prosrc), CASE WHEN p.prosecdef THEN ' as owner' END,
                  (SELECT ' ' || string_agg(CASE WHEN s LIKE 'search_path=%'
                                               THEN 'path to ' || regexp_replace(s, '.*[, ]', '') ELSE s END,
                                          ' ' ORDER BY s)
                   FROM unnest(p.proconfig) s))
    FROM pg_proc p WHERE p.pronamespace = current_schema()::regnamespace
"""

_EXPECTED = ", ".join(f"('{guard.sort}', '{guard.relation}', '{guard.name}', '{guard.shape}')" for guard in GUARDS)
_GUARDS = f"(VALUES {_EXPECTED}) g (sort, relation, name, shape)"
_JOINED = f"""
    {_GUARDS}
    LEFT JOIN ({CATALOGUE}) c ON c.sort = g.sort AND c.name = g.name
                             AND c.relation IS NOT DISTINCT FROM to_regclass(nullif(g.relation, ''))
"""
_DETAIL = "format('%s %s%s', g.sort, g.name, ' on ' || nullif(g.relation, ''))"

CHECKS: tuple[Check, ...] = (
    Check(
        "guard_missing",
        "I3",
        f"""
        SELECT NULL, NULL, NULL, {_DETAIL}, 'enabled', CASE WHEN c.name IS NULL THEN 'missing' ELSE 'disabled' END
        FROM {_JOINED} WHERE c.works IS NOT TRUE
        """,
    ),
    Check(
        "guard_changed",
        "I3",
        f"SELECT NULL, NULL, NULL, {_DETAIL}, g.shape, c.shape FROM {_JOINED} WHERE c.shape <> g.shape",
    ),
)
