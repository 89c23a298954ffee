"""What can be done with gift cards: each a transaction, committed before the answer is made."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable
from functools import cached_property
from typing import Any, NamedTuple, TypeVar
from uuid import UUID

import psycopg
import sqlalchemy as sa

from setia.api.idempotency import Keyed, claim, keep
from setia.codes import guesses
from setia.codes.book import CodeBook
from setia.db.engine import Database, driver_connection
from setia.gift_cards import card as cards
from setia.gift_cards.accounts import Accounts, Terms, Told
from setia.gift_cards.card import Card, EntryRow, Funding, Use
from setia.gift_cards.problems import NoSuchCardUse, NoSuchGiftCard
from setia.gift_cards.reporting import CardTotals, card_totals
from setia.gift_cards.uses import Asked, Done, Uses
from setia.members.merges import person_of
from setia.members.service import check_open
from setia.program.definition import Program
from setia.versions.cache import VersionCache
from setia.versions.service import live_number, program_now

T = TypeVar("T")
SHOWN_FOR = dt.timedelta(days=1)
"""How long the request that issued a card can be repeated and its code is in the answer."""


class Issue(NamedTuple):
    """A card that somebody wants: its kind, the money on it (None: as its kind says), where that is from, and whose."""

    kind: str
    amount: int | None
    funding: Funding
    member: UUID | None
    reason: str | None


class Shown(NamedTuple):
    """A card at a moment of its program; `code` where it can be shown."""

    card: Card
    now: dt.datetime
    code: str | None = None


class Answered(NamedTuple):
    """The answer of a write as JSON, and whether it is one that was given before."""

    body: dict[str, Any]
    replayed: bool


class GiftCards:
    """The gift cards of all programs of a database."""

    def __init__(self, database: Database, definitions: VersionCache[Program], secret: Callable[[], bytes]) -> None:
        """`secret` gives the installation's secret; it is asked for when the first code is."""
        self._database, self._definitions, self._secret = database, definitions, secret

    @cached_property
    def book(self) -> CodeBook:
        """What makes codes and knows them again."""
        return CodeBook(self._secret())

    def issue(
        self, write: Keyed, wanted: Issue, actor: str, tell: Callable[[Shown], dict[str, Any]]
    ) -> tuple[Answered, str | None]:
        """Issue a card; `tell` makes its answer, beside which its code is given: that is kept nowhere.

        The same request again gives both, the code for a day and until a till has taken something of the card.
        """

        def work(tx: sa.Connection, accounts: Accounts) -> tuple[Answered, str | None]:
            kept = claim(tx, write)
            if kept is not None:
                body = json.loads(kept.body)
                return Answered(body["answer"], replayed=True), self._shown_again(accounts, UUID(body["card"]))
            told = Told(actor, wanted.reason)
            card, code = accounts.issue(self.book, wanted.kind, wanted.amount, wanted.funding, told)
            if wanted.member is not None:
                check_open(accounts.connection, accounts.terms.program_id, wanted.member)
                card = accounts.change(card, "assigned", told, member_id=wanted.member)
            answer = tell(Shown(card, accounts.terms.now))
            keep(tx, write, 201, json.dumps({"card": str(card.id), "answer": answer}))
            return Answered(answer, replayed=False), code

        return self._run(write.program_id, work)

    def issue_many(
        self, write: Keyed, wanted: Issue, count: int, actor: str, tell: Callable[[Shown], dict[str, Any]]
    ) -> tuple[list[Answered], list[str | None]]:
        """Issue so many cards of one kind, all or none; answers and codes as of `issue`, in the same order."""

        def work(tx: sa.Connection, accounts: Accounts) -> tuple[list[Answered], list[str | None]]:
            kept = claim(tx, write)
            if kept is not None:
                before = [(UUID(one["card"]), one["answer"]) for one in json.loads(kept.body)]
                codes = [self._shown_again(accounts, card) for card, _ in before]
                return [Answered(answer, replayed=True) for _, answer in before], codes
            told = Told(actor, wanted.reason)
            made = [accounts.issue(self.book, wanted.kind, wanted.amount, wanted.funding, told) for _ in range(count)]
            answers = [tell(Shown(card, accounts.terms.now)) for card, _ in made]
            body = [{"card": str(card.id), "answer": told} for (card, _), told in zip(made, answers, strict=True)]
            keep(tx, write, 201, json.dumps(body))
            return [Answered(answer, replayed=False) for answer in answers], [code for _, code in made]

        return self._run(write.program_id, work)

    def once(
        self, write: Keyed, work: Callable[[Accounts], T], tell: Callable[[T, dt.datetime], dict[str, Any]]
    ) -> Answered:
        """Do something to cards once for its key; the same request again gets the first answer."""

        def whole(tx: sa.Connection, accounts: Accounts) -> Answered:
            kept = claim(tx, write)
            if kept is not None:
                return Answered(json.loads(kept.body), replayed=True)
            answer = tell(work(accounts), accounts.terms.now)
            keep(tx, write, 200, json.dumps(answer))
            return Answered(answer, replayed=False)

        return self._run(write.program_id, whole)

    def assign(
        self, write: Keyed, card_id: UUID, member: UUID | None, told: Told, tell: Callable[[Shown], dict[str, Any]]
    ) -> Answered:
        """Say whose a card is; raises `NoSuchMember`, `StatusConflict`."""

        def work(accounts: Accounts) -> Card:
            if member is not None:
                check_open(accounts.connection, write.program_id, member)
            [card] = accounts.lock(card_id)
            return accounts.change(card, "assigned", told, member_id=member)

        return self.once(write, work, lambda card, now: tell(Shown(card, now)))

    def take(self, program_id: int, code: str, asked: Asked, *, who: str, now: dt.datetime) -> tuple[Done, dt.datetime]:
        """Take money from a card, or hold it; see `uses.Uses.take`. `asked.code` is filled in."""
        hashed = self.book.hash_of(program_id, code)
        named = Asked(**{name: getattr(asked, name) for name in Asked.__struct_fields__} | {"code": hashed})
        return self._asked(program_id, who, now, lambda accounts: Uses(accounts).take(named, who))

    def look_up(self, program_id: int, code: str, *, who: str, now: dt.datetime) -> Shown:
        """A card by its code. What time has done to it is booked first."""
        hashed = self.book.hash_of(program_id, code)

        def work(accounts: Accounts) -> Card:
            found = accounts.lock_codes([hashed]).get(hashed)
            if found is None:
                raise NoSuchGiftCard("Check the code for a slip; after too many wrong ones the key has to wait.")
            return found

        return Shown(*self._asked(program_id, who, now, work))

    def end(self, program_id: int, work: Callable[[Uses], Done]) -> tuple[Done, dt.datetime]:
        """Capture or release a use."""
        return self._run(program_id, lambda _, accounts: (work(Uses(accounts)), accounts.terms.now))

    def find(self, program_id: int, card_id: UUID) -> Shown:
        """One card. What time has done to it is booked first. Raises `NoSuchGiftCard`."""
        return self._run(program_id, lambda _, accounts: Shown(accounts.lock(card_id)[0], accounts.terms.now))

    def page(
        self, program_id: int, member: UUID | None, *, before: UUID | None, most: int
    ) -> tuple[list[Card], dt.datetime]:
        """Cards, the newest first, as they are booked; of a member with all who were merged into it."""

        def work(_: sa.Connection, accounts: Accounts) -> tuple[list[Card], dt.datetime]:
            family = None if member is None else person_of(accounts.connection, member)
            found = cards.list_cards(accounts.connection, program_id, family, before=before, most=most)
            return found, accounts.terms.now

        return self._run(program_id, work)

    def entries(self, program_id: int, card_id: UUID, *, before: int | None, most: int) -> list[EntryRow]:
        """The entries of a card, the newest first. Raises `NoSuchGiftCard`."""

        def work(_: sa.Connection, accounts: Accounts) -> list[EntryRow]:
            accounts.lock(card_id)
            return cards.entries_of(accounts.connection, card_id, before=before, most=most)

        return self._run(program_id, work)

    def find_use(self, program_id: int, use_id: UUID) -> tuple[Use, Card, dt.datetime]:
        """One use and its card; raises `NoSuchCardUse`."""
        return self._use(program_id, lambda connection: cards.find_use(connection, program_id, use_id))

    def find_use_by_reference(self, program_id: int, till: str, reference: str) -> tuple[Use, Card, dt.datetime]:
        """The use that a till made under its own reference; raises `NoSuchCardUse`."""
        return self._use(program_id, lambda connection: cards.use_by_reference(connection, program_id, till, reference))

    def totals(self, program_id: int, at: dt.datetime | None) -> list[CardTotals]:
        """Where the money of all cards went, in a snapshot of its own."""

        def work(tx: sa.Connection) -> list[CardTotals]:
            tx.exec_driver_sql("SET TRANSACTION READ ONLY")
            return card_totals(driver_connection(tx), program_id, at)

        return self._database.run(work, isolation="REPEATABLE READ")

    def _use(
        self, program_id: int, look: Callable[[psycopg.Connection[Any]], Use | None]
    ) -> tuple[Use, Card, dt.datetime]:
        def work(_: sa.Connection, accounts: Accounts) -> tuple[Use, Card, dt.datetime]:
            found = look(accounts.connection)
            if found is None:
                raise NoSuchCardUse
            [card] = accounts.lock(found.card_id)
            return look(accounts.connection) or found, card, accounts.terms.now

        return self._run(program_id, work)

    def _shown_again(self, accounts: Accounts, card_id: UUID) -> str | None:
        card = cards.find(accounts.connection, accounts.terms.program_id, card_id)
        if card is None or accounts.terms.now - card.created_at > SHOWN_FOR:
            return None
        return None if cards.is_used(accounts.connection, card_id) else self.book.code_of(card_id)

    def _asked(
        self, program_id: int, who: str, now: dt.datetime, work: Callable[[Accounts], T]
    ) -> tuple[T, dt.datetime]:
        def whole(_: sa.Connection, accounts: Accounts) -> tuple[T, dt.datetime]:
            guesses.check(accounts.connection, program_id, who, now)
            return work(accounts), accounts.terms.now

        try:
            return self._run(program_id, whole)
        except NoSuchGiftCard:
            self._database.run(lambda tx: guesses.count(driver_connection(tx), program_id, who, now))
            raise

    def _run(self, program_id: int, work: Callable[[sa.Connection, Accounts], T]) -> T:
        def whole(tx: sa.Connection) -> T:
            definition = self._definitions.get(program_id, live_number(tx, program_id))
            terms = Terms(program_id, definition, program_now(tx, program_id))
            return work(tx, Accounts(driver_connection(tx), terms))

        return self._database.run(whole)
