"""Freezing a member's points: nobody spends them until they are set free; everything else goes on."""

from __future__ import annotations

import datetime as dt
from typing import Any
from uuid import UUID

import psycopg

from setia.engine.counting import recount
from setia.engine.decision import Outcome
from setia.events.acts import Acts, By
from setia.events.live import LiveProgram


def freeze(
    connection: psycopg.Connection[Any],
    live: LiveProgram,
    member_id: UUID,
    by: By,
    now: dt.datetime,
    *,
    frozen: bool,
) -> dt.datetime | None:
    """Freeze points or set them free, in the caller's transaction; gives since when they are frozen.

    What is so already stays so, with its moment, and nothing is booked. `by` needs a reason.
    """
    acts = Acts(connection, live, now)
    member = acts.lock([member_id])[member_id]
    state = member.state
    if (state.counters.frozen_at is not None) != frozen:
        outcome, booked_at = Outcome(frozen=frozen), member.moment(acts.now)
        state.counters = recount(
            live.compiled, state.counters, "freeze", outcome, acts.now, booked_at, state.enrolled_at
        )
        acts.book(member, "freeze", [], by, outcome=outcome)
        acts.write()
    return state.counters.frozen_at
