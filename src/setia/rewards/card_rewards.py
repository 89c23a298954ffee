"""Rewards that are gift cards: a redemption issues a card of `setia.gift_cards`, or loads one that is named."""

from __future__ import annotations

import datetime as dt
from typing import Any
from uuid import UUID

import psycopg

from setia.engine.gift_cards import currency_of, units_of
from setia.events.live import LiveProgram
from setia.gift_cards.accounts import Accounts, Terms, Told
from setia.gift_cards.problems import BalanceTooLow
from setia.gift_cards.rewarded import given_by
from setia.problems import ErrorItem
from setia.program.rewards import Reward
from setia.rewards.codes import CodeBook
from setia.rewards.problems import CodeUnusable, InvalidRedemption
from setia.rewards.redemption import Redemption


def check_card(reward: Reward, card: UUID | None) -> None:
    """Raise `InvalidRedemption` where a card is named, and the reward loads none."""
    if card is not None and reward.card is None:
        item = ErrorItem(pointer="#/gift_card", message="is for rewards that load a gift card", hint="Leave it out.")
        raise InvalidRedemption("Nothing was redeemed.", errors=[item])


def hand_out(
    connection: psycopg.Connection[Any],
    live: LiveProgram,
    book: CodeBook,
    row: Redemption,
    reward: Reward,
    card_id: UUID | None,
) -> str | None:
    """Put what a confirmed redemption is worth on the card that is named, or on a new one, whose code this gives.

    A new card holds what its kind says, and what the reward is worth on top.

    Raises:
        NoSuchGiftCard, GiftCardUnusable, InvalidGiftCard, InvalidRedemption: nothing may be kept of it.
    """
    now = row.confirmed_at or row.created_at
    kind = live.compiled.definition.gift_cards[reward.card or ""]
    currency = currency_of(live.compiled.definition, kind)
    accounts = Accounts(connection, Terms(live.program_id, live.compiled.definition, now))
    told = Told(row.actor, reward.card, redemption=row.id)
    worth = row.worth or 0
    if card_id is not None:
        [card] = accounts.lock(card_id)
        if card.kind != reward.card:
            item = ErrorItem(pointer="#/gift_card", message=f"must be a {reward.card}, and is a {card.kind}")
            raise InvalidRedemption("Nothing was redeemed.", errors=[item])
        if card.currency != currency:
            # A card of before: its kind was in another currency then.
            item = ErrorItem(pointer="#/gift_card", message=f"must hold {currency}, and holds {card.currency}")
            raise InvalidRedemption("Nothing was redeemed.", errors=[item])
        accounts.load(card, worth, "granted", told, checked=False)
        return None
    value = units_of(kind.value, currency) * row.confirmed
    card, code = accounts.issue(book, reward.card or "", value + worth, "granted", told, checked=False)
    accounts.change(card, "assigned", told, member_id=row.member_id)
    return code


def take_back(
    connection: psycopg.Connection[Any], live: LiveProgram, row: Redemption, now: dt.datetime, actor: str
) -> None:
    """Take back what a redemption has put on a card.

    Raises:
        CodeUnusable: it is spent already.
    """
    accounts = Accounts(connection, Terms(live.program_id, live.compiled.definition, now))
    for card_id, amount in given_by(connection, row.id):
        [card] = accounts.lock(card_id)
        try:
            accounts.take_back(card, amount, Told(actor, "refunded", redemption=row.id))
        except BalanceTooLow as problem:
            message = "Money of its gift card has been spent. Refund the use to the card first."
            raise CodeUnusable(message, extra={"reason": "used"}) from problem
