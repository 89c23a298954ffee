"""What a link offers, and what choosing does: the one moment at which the program pays."""

from __future__ import annotations

import datetime as dt
from typing import Any, NamedTuple

import msgspec
import psycopg

from setia.codes.book import CodeBook
from setia.engine.gift_cards import currency_of
from setia.gift_cards import card as cards
from setia.gift_cards.accounts import Accounts, Terms, Told
from setia.program.definition import Program
from setia.program.rewards import Reward
from setia.reward_links import link as links
from setia.reward_links.link import Link
from setia.reward_links.problems import RewardLinkChosen, RewardLinkOver, RewardNotOffered
from setia.rewards.pools import code_of_link, give_to_link, list_pools
from setia.rewards.stock import StockExhausted

RECIPIENT = "recipient"
"""Who acts where nobody has a key: whoever holds the link."""
SHOWN_FOR = dt.timedelta(days=1)
"""How long the link shows the code again that its recipient has chosen, until it is used."""


class Choice(NamedTuple):
    """A reward that a link offers."""

    id: str
    reward: Reward


class Chosen(NamedTuple):
    """A link after its choice; `code` where it can be shown, `replayed`: it was made before."""

    link: Link
    code: str | None
    replayed: bool


def choices(connection: psycopg.Connection[Any], definition: Program, link: Link) -> list[Choice]:
    """The rewards a link offers now: those of its kind, less those of another currency and empty pools."""
    kind = definition.reward_links.get(link.kind)
    found: list[Choice] = []
    pools: dict[str, int] | None = None
    for name in () if kind is None else kind.rewards:
        reward = definition.rewards.get(name)
        if reward is None or not reward.enabled:
            continue
        if reward.card is not None:
            card = definition.gift_cards.get(reward.card)
            if card is None or currency_of(definition, card) != link.currency:
                continue
        elif reward.code is not None and reward.code.pool is not None:
            if pools is None:
                pools = {pool.name: pool.left for pool in list_pools(connection, link.program_id)}
            if not pools.get(reward.code.pool):
                continue
        found.append(Choice(name, reward))
    return found


def choose(connection: psycopg.Connection[Any], terms: Terms, book: CodeBook, link: Link, reward_id: str) -> Chosen:
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
    offered = {choice.id: choice.reward for choice in choices(connection, terms.definition, link)}
    if reward_id not in offered:
        raise RewardNotOffered(f"It offers: {', '.join(offered) or 'nothing any more'}.")
    reward = offered[reward_id]
    chosen = msgspec.structs.replace(link, opened_at=link.opened_at or terms.now, chosen_at=terms.now, reward=reward_id)
    code = None
    if reward.card is not None:
        told = Told(RECIPIENT, f"reward link {link.id}")
        accounts = Accounts(connection, terms)
        card, code = accounts.issue(book, reward.card, link.amount, "granted", told, checked=False)
        if link.member_id is not None:
            accounts.change(card, "assigned", told, member_id=link.member_id)
        chosen = msgspec.structs.replace(chosen, card_id=card.id)
    elif reward.code is not None and reward.code.pool is not None:
        try:
            code = give_to_link(connection, link.program_id, book, reward.code.pool, link.id)
        except StockExhausted:
            raise RewardNotOffered("The last one has just been taken. Choose another reward.") from None
    else:
        chosen = msgspec.structs.replace(chosen, fulfilment="open")
    links.save(connection, chosen)
    return Chosen(chosen, code, replayed=False)


def shown_again(connection: psycopg.Connection[Any], book: CodeBook, link: Link, now: dt.datetime) -> str | None:
    """The code that was chosen, for a day, and a card's until a till has taken something of it."""
    if link.chosen_at is None or now - link.chosen_at > SHOWN_FOR:
        return None
    if link.card_id is not None:
        return None if cards.is_used(connection, link.card_id) else book.code_of(link.card_id)
    return code_of_link(connection, book, link.id)
