"""Merging and undoing it: each a transaction, committed before the answer is made."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable
from uuid import UUID

import sqlalchemy as sa

from setia.api.idempotency import Keyed, claim, keep
from setia.db.engine import Database, driver_connection
from setia.events.acts import By
from setia.events.live import LiveProgram, LivePrograms
from setia.members import merges
from setia.members.merges import Merge
from setia.members.service import get_member
from setia.moving.merging import merge_members
from setia.moving.problems import NoSuchMerge
from setia.moving.unmerging import undo_merge


class Merging:
    """The merges of all programs of a database."""

    def __init__(self, database: Database, programs: LivePrograms) -> None:
        self._database, self._programs = database, programs

    def merge(
        self, program_id: int, main: UUID, duplicate: UUID, by: By, *, key: str, now: dt.datetime
    ) -> tuple[Merge, bool]:
        """Merge a duplicate into a member; see `merging.merge_members`. Gives whether it was so before."""
        body = [main.hex, duplicate.hex, by.reason]

        def work(tx: sa.Connection, live: LiveProgram) -> tuple[Merge, bool]:
            for member in (main, duplicate):
                # Before anything is locked: whoever waits for a stranger's lock learns that there is somebody.
                get_member(tx, program_id, member)
            return merge_members(driver_connection(tx), live, main, duplicate, by, now)

        return self._once(Keyed.of(program_id, "POST /v1/members/merge", key, body), work)

    def undo(
        self, program_id: int, merge_id: UUID, by: By, *, short: bool, key: str, now: dt.datetime
    ) -> tuple[Merge, bool]:
        """Part two members again; see `unmerging.undo_merge`. Gives whether it was so before."""
        body = [merge_id.hex, by.reason, short]
        return self._once(
            Keyed.of(program_id, "POST /v1/merges/undo", key, body),
            lambda tx, live: undo_merge(driver_connection(tx), live, merge_id, by, now, short=short),
        )

    def find(self, program_id: int, merge_id: UUID) -> Merge:
        """One merge; raises `NoSuchMerge`."""
        return self._database.run(lambda tx: _there(tx, program_id, merge_id))

    def of_member(self, program_id: int, member: UUID) -> list[Merge]:
        """Every merge that a member had to do with, the oldest first."""

        def work(tx: sa.Connection) -> list[Merge]:
            get_member(tx, program_id, member)
            return merges.merges_of(driver_connection(tx), member)

        return self._database.run(work)

    def _once(
        self, write: Keyed, work: Callable[[sa.Connection, LiveProgram], tuple[Merge, bool]]
    ) -> tuple[Merge, bool]:
        def whole(tx: sa.Connection) -> tuple[Merge, bool]:
            answer = claim(tx, write)
            if answer is not None:
                return _there(tx, write.program_id, UUID(json.loads(answer.body)["id"])), True
            done, before = work(tx, self._programs.live(driver_connection(tx), write.program_id))
            keep(tx, write, 200, json.dumps({"id": done.id.hex}))
            return done, before

        return self._database.run(whole)


def _there(tx: sa.Connection, program_id: int, merge_id: UUID) -> Merge:
    found = merges.find_merge(driver_connection(tx), program_id, merge_id)
    if found is None:
        raise NoSuchMerge
    return found
