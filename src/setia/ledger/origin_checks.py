"""The checks of `verify` about where entries come from: events, versions of programs, and members."""

from __future__ import annotations

from setia.ledger.check import Check

# A moment in a body, with any offset. What is no moment is NULL; and since there is no cast that cannot fail, the day
# is added to the first of the month, which every month has.
_MOMENT = r"""
    CASE WHEN b.occurred_at ~
              '^[1-9]\d{3}-(0[1-9]|1[0-2])-\d\dT([01]\d|2[0-3]):[0-5]\d:[0-5]\d(\.\d{1,6})?(Z|[+-](0\d|1[0-4]):[0-5]\d)$'
         THEN (substr(b.occurred_at, 1, 8) || '01' || substr(b.occurred_at, 11))::timestamptz
              + (substr(b.occurred_at, 9, 2)::int - 1) * interval '24 hours' END
"""

CHECKS: tuple[Check, ...] = (
    # --------------------------------------------------------------------------------------------------------- events
    Check(
        "event_missing",
        "I13",
        """
        SELECT j.member_id, j.seq, NULL, 'entry without its event',
               'a decided event evt_' || replace(j.id::text, '-', ''),
               CASE WHEN e.id IS NULL THEN 'none'
                    ELSE format('status %s, member %s, program %s', e.status, e.member_id, e.program_id) END
        FROM journal j LEFT JOIN event e ON e.id = j.event_id
        WHERE j.kind = 'event'
          AND ((j.event_id, e.program_id) IS DISTINCT FROM (j.id, j.program_id)
               OR (e.status, e.member_id) IS DISTINCT FROM ('decided', j.member_id)
               -- An event that was kept stays as it came, and its entry tells whose it became: it was booked together
               -- with the enrolment, which is the member's first entry.
               AND NOT coalesce(e.status = 'kept' AND e.member_id IS NULL AND EXISTS (
                   SELECT FROM journal f JOIN event enrolled ON enrolled.id = f.event_id
                   WHERE f.member_id = j.member_id AND f.seq = 1 AND j.seq > 1 AND f.booked_at = j.booked_at
                     AND enrolled.type = 'member_enrolled'
               ), false))
        """,
    ),
    Check(
        "entry_missing",
        "I13",
        """
        SELECT e.member_id, NULL, NULL, 'decided event without its entry',
               'an entry of event evt_' || replace(e.id::text, '-', ''), 'none'
        FROM event e
        WHERE e.status = 'decided' AND NOT EXISTS (SELECT FROM journal j WHERE j.id = e.id AND j.kind = 'event')
        """,
    ),
    Check(
        "event_twice",
        "I8",
        """
        SELECT min(e.member_id::text)::uuid, NULL, NULL, format('event %s of %s', e.external_id, e.source), '1',
               count(*)::text
        FROM event e GROUP BY e.program_id, e.source, e.external_id HAVING count(*) > 1
        """,
    ),
    Check(
        "event_content",
        "I8",
        f"""
        SELECT e.member_id, NULL, NULL, 'columns and body of event evt_' || replace(e.id::text, '-', ''),
               format('%s %s of %s, %s, evt_%s', e.type, e.external_id, e.source, e.occurred_at,
                      replace(e.id::text, '-', '')),
               format('%s %s of %s, %s, %s', b.type, b.external_id, b.source, b.occurred_at, b.id)
        FROM event e
        CROSS JOIN LATERAL json_to_record(CASE json_typeof(e.body) WHEN 'object' THEN e.body ELSE '{{}}' END)
                        AS b (id text, type text, source text, external_id text, occurred_at text)
        WHERE ('evt_' || replace(e.id::text, '-', ''), e.type, e.source, e.external_id, e.occurred_at)
              IS DISTINCT FROM (b.id, b.type, b.source, b.external_id, {_MOMENT})
        """,
    ),
    Check(
        "event_time",
        "I13",
        """
        SELECT j.member_id, j.seq, NULL, 'entry and event occurred at different moments', e.occurred_at::text,
               j.occurred_at::text
        FROM journal j JOIN event e ON e.id = j.event_id
        WHERE j.kind = 'event' AND j.occurred_at <> e.occurred_at
        """,
    ),
    Check(
        "event_waiting",
        "I13",
        """
        SELECT j.member_id, j.seq, NULL, 'kept event evt_' || replace(e.id::text, '-', ''),
               CASE WHEN j.id IS NULL THEN 'waits for its member, or has an entry' ELSE 'no longer waits' END,
               CASE WHEN j.id IS NULL THEN 'neither' ELSE 'still waits' END
        FROM event e LEFT JOIN journal j ON j.id = e.id
        WHERE e.status = 'kept' AND (j.id IS NULL) <> EXISTS (SELECT FROM kept_event k WHERE k.event_id = e.id)
        """,
    ),
    # ------------------------------------------------------------------------------------------- versions and members
    Check(
        "version_missing",
        "I12",
        """
        SELECT j.member_id, j.seq, NULL, 'entry without the version that decided it',
               'a version of program ' || j.program_id, coalesce('version ' || j.program_version, 'none')
        FROM journal j LEFT JOIN program_version v ON v.program_id = j.program_id AND v.number = j.program_version
        WHERE v.number IS NULL AND (j.program_version IS NOT NULL OR j.kind <> 'adjustment')
        UNION ALL
        SELECT NULL, NULL, NULL, 'live version of program ' || p.id, 'a version that was published',
               'version ' || p.live_version
        FROM program p LEFT JOIN program_version v ON v.program_id = p.id AND v.number = p.live_version
        WHERE v.number IS NULL AND p.live_version IS NOT NULL
        """,
    ),
    Check(
        "version_content",
        "I12",
        """
        SELECT NULL, NULL, NULL, format('digest of version %s of program %s', v.number, v.program_id),
               encode(sha256(convert_to(v.definition, 'UTF8')), 'hex'), encode(v.digest, 'hex')
        FROM program_version v WHERE v.digest IS DISTINCT FROM sha256(convert_to(v.definition, 'UTF8'))
        """,
    ),
    Check(
        "member_missing",
        "I13",
        """
        SELECT h.member_id, NULL, NULL, 'ledger of somebody who is no member', 'a member of program ' || h.program_id,
               coalesce('a member of program ' || m.program_id, 'none')
        FROM (
            SELECT j.member_id, j.program_id FROM journal j UNION SELECT s.member_id, s.program_id FROM member_state s
        ) h
        LEFT JOIN member m ON m.id = h.member_id
        WHERE m.program_id IS DISTINCT FROM h.program_id
        """,
    ),
)
