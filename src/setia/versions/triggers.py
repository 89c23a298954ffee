"""Triggers of time and versions: since when each is live, and who has to be looked at when a version is new."""

import json
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from setia.program.definition import Program
from setia.versions.tables import program_version

_TOGETHER = 20


def triggers_since(tx: sa.Connection, program_id: int, number: int) -> dict[str, datetime]:
    """When each trigger of a version went live as it is there: the first of the versions without a break that have it.

    What was due before that is not made up for. A trigger that was changed begins anew.
    """
    since: dict[str, datetime] = {}
    wanted: dict[str, Any] | None = None
    rows = _before(tx, program_id, number + 1)
    while rows:
        for _, published_at, definition in rows:
            there = json.loads(definition).get("triggers", {})
            wanted = {name: trigger for name, trigger in (wanted or there).items() if there.get(name) == trigger}
            if not wanted:
                return since
            since |= dict.fromkeys(wanted, published_at)
        rows = _before(tx, program_id, rows[-1][0])
    return since


def _before(tx: sa.Connection, program_id: int, below: int) -> list[tuple[int, datetime, str]]:
    columns = program_version.c
    query = (
        sa.select(columns.number, columns.published_at, columns.definition)
        .where(columns.program_id == program_id, columns.number < below)
        .order_by(columns.number.desc())
        .limit(_TOGETHER)
    )
    return [(row[0], row[1], row[2]) for row in tx.execute(query)]


def moves_time(before: Program, after: Program) -> bool:
    """Whether a new version may make something due earlier than the one before: then all members are looked at."""
    return _of_time(before) != _of_time(after)


def _of_time(program: Program) -> dict[str, Any]:
    """What the moments at which something is due depend on, apart from lots, whose ends are kept with them."""
    heard = {event for campaign in program.campaigns.values() if campaign.enabled for event in campaign.triggers}
    return {
        "zone": program.program.timezone,
        "triggers": program.triggers,
        "tiers": program.tiers,
        "inactivity": {name: points.expiry for name, points in program.points.items() if points.expiry.inactivity},
        "tier_ending": "tier_ending" in heard,
    }
