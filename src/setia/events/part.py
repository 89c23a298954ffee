"""What events add to the app."""

from __future__ import annotations

import datetime as dt
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from uuid import UUID

import sqlalchemy as sa
from fastapi import FastAPI
from starlette.concurrency import run_in_threadpool

from setia.api.app import Part
from setia.coupons.codes import CouponCodes
from setia.db.engine import Database, driver_connection
from setia.engine.decision import explanation_of, outcome_of
from setia.engine.guarding_sentences import hand_sentences
from setia.engine.reward_sentences import PARTNER, movement_sentences
from setia.engine.sentences import sentences, time_sentence
from setia.engine.wording import language_of
from setia.events.afterwards import Afterwards
from setia.events.cart import CartRewards
from setia.events.clerk import Clerk
from setia.events.committer import Committer
from setia.events.coupons_route import coupons_router
from setia.events.enrolling import EnrolWithEvent
from setia.events.freezing_route import freezing_router
from setia.events.live import LivePrograms
from setia.events.offers_route import offers_router
from setia.events.openapi import FRAGMENT
from setia.events.points_outlook import PointsOutlook, points_outlook
from setia.events.points_route import points_router
from setia.events.routes import Desk
from setia.events.settling import settle_one
from setia.events.tiers_route import tiers_router
from setia.events.watching import ByHand
from setia.ledger.adjustments import Adjustment
from setia.ledger.statement import StatementEntry
from setia.program.definition import Program

CLERKS = 1
"""Threads that book. Measured: a second one halves the groups, and each group costs some 2 ms of its own."""


def events_part(database: Database, rewards: CartRewards, codes: CouponCodes) -> Part:
    """The event routes, the committer behind them, and what other routes need of decisions."""
    programs = LivePrograms(database, rewards)
    afterwards = Afterwards()
    committer = Committer(*(Clerk(database, programs, afterwards) for _ in range(CLERKS)))

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        committer.start()
        try:
            yield
        finally:
            await run_in_threadpool(committer.stop)

    def told(_definition: Program, entry: StatementEntry, language: str) -> Sequence[str]:
        return statement_sentences(programs, entry, language)

    def settle(tx: sa.Connection, program_id: int, member_id: UUID) -> None:
        connection = driver_connection(tx)
        live = programs.live(connection, program_id)
        settle_one(connection, live, member_id, live.now(dt.datetime.now(dt.UTC)))

    def outlook(tx: sa.Connection, program_id: int, member_id: UUID) -> PointsOutlook:
        connection = driver_connection(tx)
        live = programs.live(connection, program_id)
        return points_outlook(connection, live, member_id, live.now(dt.datetime.now(dt.UTC)))

    def by_hand(tx: sa.Connection, program_id: int, asked: Adjustment, now: dt.datetime) -> ByHand:
        connection = driver_connection(tx)
        return ByHand(connection, programs.live(connection, program_id), asked, now)

    return Part(
        routers=(points_router, freezing_router, tiers_router, offers_router, coupons_router),
        routes=Desk(database, programs, committer, codes).routes(),
        openapi=(FRAGMENT,),
        state={
            "outlook": outlook,
            "enrol": EnrolWithEvent(database, programs),
            "sentences": told,
            "programs": programs,
            "committer": committer,
            "afterwards": afterwards,
            "settle": settle,
            "by_hand": by_hand,
        },
        lifespans=(lifespan,),
    )


def statement_sentences(programs: LivePrograms, entry: StatementEntry, language: str) -> list[str]:
    """What a journal entry did, in sentences, by the version that decided it."""
    if entry.program_version is None:
        return []
    program = programs.version(entry.program_id, entry.program_version).compiled
    outcome = outcome_of(entry.outcome)
    if entry.kind in {"expiry", "release"}:
        moved: dict[str, int] = {}
        for line in entry.lines:
            moved[line.point_type] = moved.get(line.point_type, 0) + line.amount
        return [time_sentence(program, entry.kind, points, amount, language) for points, amount in moved.items()]
    if entry.kind == "redemption":
        moves = [(line.point_type, line.source, line.destination, line.amount) for line in entry.lines]
        undelivered = entry.actor == PARTNER
        return movement_sentences(program, entry.reason or "", moves, language_of(language), undelivered=undelivered)
    if entry.kind in {"adjustment", "freeze", "sale"}:
        return hand_sentences(program, entry.kind, outcome, entry.reason or "", language)
    return sentences(program, outcome, explanation_of(entry.explanation), language)
