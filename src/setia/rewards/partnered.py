"""Rewards that a partner delivers by webhook: asked for when they are confirmed, and the code that came of it."""

from __future__ import annotations

import datetime as dt
import json
from typing import Any, NamedTuple
from uuid import UUID

import psycopg

from setia.db.ids import format_id
from setia.engine.compiled import CompiledProgram
from setia.partners import outbox
from setia.partners.outbox import Delivery, Message
from setia.program.rewards import Reward
from setia.rewards import redemption
from setia.rewards.codes import CodeBook
from setia.rewards.problems import NoSuchRedemption, RedemptionEnded
from setia.rewards.redemption import REDEMPTION_PREFIX, Redemption

SHOWN_FOR = dt.timedelta(days=1)
"""How long the partner's code is shown, from its delivery on."""


class Seen(NamedTuple):
    """The delivery of a redemption, and its code where it may be shown."""

    delivery: Delivery
    code: str | None


def ask_partner(
    connection: psycopg.Connection[Any], program: CompiledProgram, row: Redemption, reward: Reward | None
) -> None:
    """Put the message for the partner of a redemption that is confirmed now beside it; nothing where it has none."""
    if reward is None or reward.webhook is None:
        return
    outbox.put(
        connection,
        Message(
            redemption_id=row.id,
            program_id=row.program_id,
            signed_by=reward.webhook.key,
            reward=row.reward,
            partner=reward.partner or "",
            url=reward.webhook.url,
            body=_body(program, row, reward),
        ),
    )


def seen(connection: psycopg.Connection[Any], book: CodeBook, row: Redemption, now: dt.datetime) -> Seen | None:
    """The delivery of a redemption; None where no partner was asked. `now` is the real time."""
    delivery = outbox.of_redemption(connection, row.id)
    return None if delivery is None else Seen(delivery, _code(book, row, delivery, now))


def withdraw(connection: psycopg.Connection[Any], row: Redemption) -> None:
    """Keep a message from being sent, where the redemption is given back before it was.

    Raises:
        RedemptionEnded: it has been sent, and what came of it is not known. Giving the points back now might give both.
    """
    delivery = outbox.of_redemption(connection, row.id, locked=True)
    if delivery is None or delivery.state != "waiting":
        return
    if delivery.tries:
        raise RedemptionEnded(
            f"{delivery.partner} has been asked for it and has not answered yet. If it does not deliver, the points "
            "come back by themselves: look at `delivery` of GET /v1/redemptions/{id}. If you know that it will not, "
            "give it up: POST /v1/redemptions/{id}/delivery/give-up.",
            extra={"state": row.state},
        )
    outbox.end(connection, delivery, "withdrawn", dt.datetime.now(dt.UTC), why="refunded before it was sent")


def delivery_of(connection: psycopg.Connection[Any], program_id: int, redemption_id: UUID) -> Delivery:
    """The delivery of a redemption of the program, locked.

    Raises:
        NoSuchRedemption: there is no such redemption.
        RedemptionEnded: nobody was asked for it.
    """
    row = redemption.find(connection, program_id, redemption_id)
    if row is None:
        raise NoSuchRedemption
    delivery = outbox.of_redemption(connection, row.id, locked=True)
    if delivery is None:
        raise RedemptionEnded("No partner is asked for it.", extra={"state": row.state})
    return delivery


def retry(connection: psycopg.Connection[Any], program_id: int, redemption_id: UUID, now: dt.datetime) -> Delivery:
    """Let a partner be asked at once, and not after its pause; what is being sent at this moment stays as it is.

    Raises:
        NoSuchRedemption: there is no such redemption.
        RedemptionEnded: nobody is asked for it any more.
    """
    delivery = delivery_of(connection, program_id, redemption_id)
    if delivery.state != "waiting":
        raise RedemptionEnded(f"It is {delivery.state}, so nobody is asked.", extra={"state": delivery.state})
    if not delivery.in_flight(now):
        outbox.bring_forward(connection, delivery, now)
    return delivery_of(connection, program_id, redemption_id)


def give_up(connection: psycopg.Connection[Any], row: Redemption, reason: str, now: dt.datetime) -> bool:
    """Ask the partner of a redemption no more, whose member is locked; False where it was given up or failed before.

    Raises:
        RedemptionEnded: the partner has answered, or may be answering at this moment.
    """
    delivery = delivery_of(connection, row.program_id, row.id)
    if delivery.state == "failed":
        return False
    if delivery.state != "waiting":
        raise RedemptionEnded(f"It is {delivery.state}, so it is not given up.", extra={"state": delivery.state})
    if delivery.in_flight(now):
        message = f"{delivery.partner} is being asked at this moment. Look again in a minute."
        raise RedemptionEnded(message, extra={"state": delivery.state})
    outbox.end(connection, delivery, "failed", now, why=f"given up: {reason}")
    return True


def check_nobody_is_asked(connection: psycopg.Connection[Any], row: Redemption) -> None:
    """Raise `RedemptionEnded` where the partner's own answer will say how far a delivery is."""
    delivery = outbox.of_redemption(connection, row.id)
    if delivery is not None and delivery.state == "waiting":
        message = f"{delivery.partner} is being asked for it, and its answer will say how far it is."
        raise RedemptionEnded(message, extra={"state": row.state})


def _code(book: CodeBook, row: Redemption, delivery: Delivery, now: dt.datetime) -> str | None:
    if delivery.sealed is None or delivery.ended_at is None or row.state not in {"confirmed", "partly"}:
        return None
    return None if now - delivery.ended_at > SHOWN_FOR else book.unseal(delivery.id, bytes(delivery.sealed))


def _body(program: CompiledProgram, row: Redemption, reward: Reward) -> str:
    """The message: what was redeemed, under ids that say nothing of the person."""
    moment = (row.confirmed_at or row.created_at).isoformat()
    told = {
        "redemption": format_id(REDEMPTION_PREFIX, row.id),
        "program": program.definition.program.id,
        "member": format_id("mem", row.member_id),
        "partner": reward.partner,
        "reward": row.reward,
        "quantity": row.confirmed,
        "confirmed_at": moment,
        "valid_until": None if row.valid_until is None else row.valid_until.isoformat(),
        "data": {} if reward.webhook is None else reward.webhook.data,
    }
    return json.dumps({"type": "redemption.confirmed", "timestamp": moment, "data": told}, ensure_ascii=False)
