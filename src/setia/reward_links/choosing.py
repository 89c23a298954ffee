"""What a link offers, and what choosing does: the one moment at which the program pays."""

from __future__ import annotations

import datetime as dt
from typing import Any, NamedTuple

import msgspec
import psycopg

from setia.codes.book import CodeBook
from setia.engine.compiled import CompiledProgram
from setia.engine.compiled_rewards import CompiledReward
from setia.engine.gift_cards import currency_of, most_on
from setia.engine.rewards import is_left, stock_keys
from setia.gift_cards import card as cards
from setia.gift_cards.accounts import Accounts, Terms, Told
from setia.members.service import is_open
from setia.program.definition import Program
from setia.program.rewards import Reward
from setia.reward_links import link as links
from setia.reward_links.link import Link
from setia.reward_links.problems import RewardLinkChosen, RewardLinkOver, RewardNotOffered
from setia.rewards.pools import code_of_link, give_to_link
from setia.rewards.stock import StockExhausted, take, used_of

RECIPIENT = "recipient"
"""Who acts where nobody has a key: whoever holds the link."""
SHOWN_FOR = dt.timedelta(days=1)
"""How long the link shows the code again that its recipient has chosen, until it is used."""


class Choice(NamedTuple):
    """A reward that a link offers."""

    id: str
    compiled: CompiledReward

    @property
    def reward(self) -> Reward:
        """The reward as it is defined."""
        return self.compiled.definition


class Chosen(NamedTuple):
    """A link after its choice; `code` where it can be shown, `replayed`: it was made before."""

    link: Link
    code: str | None
    replayed: bool


def choices(
    connection: psycopg.Connection[Any], program: CompiledProgram, link: Link, now: dt.datetime
) -> list[Choice]:
    """The rewards a link offers at `now`: those of its kind of which some are left, and cards that can hold its amount.

    What a reward asks of members (points, levels, conditions) is not asked: who sends the link has decided that.
    """
    kind = program.definition.reward_links.get(link.kind)
    found = [] if kind is None else [program.rewards[name] for name in kind.rewards]
    used = used_of(connection, program, link.program_id, None, [one.id for one in found], now)
    return [
        Choice(one.id, one)
        for one in found
        if _holds(program.definition, one.definition, link) and is_left(program, one, used[one.id], now)
    ]


def _holds(definition: Program, reward: Reward, link: Link) -> bool:
    """Whether it is no card, or one that can hold what the link is worth."""
    if reward.card is None:
        return True
    kind = definition.gift_cards[reward.card]
    return currency_of(definition, kind) == link.currency and link.amount <= most_on(kind, link.currency)


def choose(
    connection: psycopg.Connection[Any],
    program: CompiledProgram,
    terms: Terms,
    book: CodeBook,
    link: Link,
    reward_id: str,
) -> Chosen:
    """Hand out what the recipient of a locked link has chosen; the same choice again gives the same answer.

    Raises:
        RewardLinkOver, RewardLinkChosen, RewardNotOffered: nothing was handed out.
    """
    state = link.state_at(terms.now)
    if state == "redeemed":
        if link.reward != reward_id:
            raise RewardLinkChosen("Something else was chosen. A link is good for one choice.")
        return Chosen(link, shown_again(connection, book, link, terms.now), replayed=True)
    if state in {"expired", "withdrawn"}:
        raise RewardLinkOver(f"It is {state}.", extra={"state": state})
    offered = {choice.id: choice for choice in choices(connection, program, link, terms.now)}
    if reward_id not in offered:
        raise RewardNotOffered(f"It offers: {', '.join(offered) or 'nothing any more'}.")
    reward = offered[reward_id].reward
    limits = stock_keys(program, offered[reward_id].compiled, terms.now, None)
    chosen = msgspec.structs.replace(
        link,
        opened_at=link.opened_at or terms.now,
        chosen_at=terms.now,
        reward=reward_id,
        stock_keys=list(limits),
    )
    code = None
    if reward.card is not None:
        told = Told(RECIPIENT, f"reward link {link.id}")
        accounts = Accounts(connection, terms)
        card, code = accounts.issue(book, reward.card, link.amount, "granted", told, checked=False)
        if link.member_id is not None and is_open(connection, link.program_id, link.member_id):
            accounts.change(card, "assigned", told, member_id=link.member_id)
        chosen = msgspec.structs.replace(chosen, card_id=card.id)
    elif reward.code is None or reward.code.pool is None:
        chosen = msgspec.structs.replace(chosen, fulfilment="open")
    try:
        if reward.code is not None and reward.code.pool is not None:
            code = give_to_link(connection, link.program_id, book, reward.code.pool, link.id)
        # Last of all, as in redemptions: who wants the same reward waits for one commit.
        take(connection, link.program_id, reward_id, limits, 1)
    except StockExhausted:
        raise RewardNotOffered("The last one has just been taken. Choose another reward.") from None
    links.save(connection, chosen)
    return Chosen(chosen, code, replayed=False)


def shown_again(connection: psycopg.Connection[Any], book: CodeBook, link: Link, now: dt.datetime) -> str | None:
    """The code that was chosen, for a day, and a card's until a till has taken something of it."""
    if link.chosen_at is None or now - link.chosen_at > SHOWN_FOR:
        return None
    if link.card_id is not None:
        return None if cards.is_used(connection, link.card_id) else book.code_of(link.card_id)
    return code_of_link(connection, book, link.id)
