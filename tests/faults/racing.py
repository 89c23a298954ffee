"""What runs in the processes of a race: lanes, each a thread with a clerk of its own, that start at the same moment."""

import datetime as dt
import threading
import time
from collections.abc import Sequence

from setia.db.engine import Database
from setia.events.answers import encode, event_out
from setia.events.arrivals import draft
from setia.events.booked import Booked
from setia.events.booking import Answer, Submission
from setia.events.clerk import Clerk
from setia.events.live import LivePrograms

Told = tuple[str, bytes]
"""What became of an event: `new`, `again` or the code of a problem; and the answer's bytes."""


def race(url: str, program_id: int, lanes: Sequence[Sequence[Sequence[bytes]]], start_at: float) -> list[list[Told]]:
    """Book the batches of each lane, one after the other; give what each event was told, per lane."""
    told: list[list[Told]] = [[] for _ in lanes]
    with Database(url) as database:
        programs = LivePrograms(database)
        threads = [
            threading.Thread(target=_drive, args=(database, programs, program_id, lane, start_at, told[number]))
            for number, lane in enumerate(lanes)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    return told


def _drive(
    database: Database,
    programs: LivePrograms,
    program_id: int,
    batches: Sequence[Sequence[bytes]],
    start_at: float,
    told: list[Told],
) -> None:
    with Clerk(database, programs) as clerk:
        clerk.book(program_id, [])  # it is connected before the start
        time.sleep(max(0.0, start_at - time.time()))
        for batch in batches:
            now = dt.datetime.now(dt.UTC)
            answers = clerk.book(program_id, [Submission(draft(raw, now), "race") for raw in batch])
            told += [_told(programs, answer) for answer in answers]


def _told(programs: LivePrograms, answer: Answer) -> Told:
    if not isinstance(answer, Booked):
        return answer.code, b""
    program = None if answer.version is None else programs.version(answer.program_id, answer.version).compiled
    return "again" if answer.replayed else "new", encode(event_out(program, answer, "en"))
