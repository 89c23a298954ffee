"""What can be done with reward links: each a transaction, committed before the answer is made."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable
from functools import cached_property
from typing import Any, NamedTuple, TypeVar
from uuid import UUID
from zoneinfo import ZoneInfo

import msgspec
import sqlalchemy as sa

from setia.api.idempotency import Keyed, claim, keep
from setia.codes.book import CodeBook
from setia.db.engine import Database, driver_connection
from setia.db.ids import new_id
from setia.engine.calendar import after
from setia.engine.compiled import CompiledProgram
from setia.engine.gift_cards import units_of
from setia.events.live import LivePrograms
from setia.gift_cards.accounts import Terms
from setia.members.service import check_open
from setia.problems import ErrorItem
from setia.program.definition import Program
from setia.program.names import Period
from setia.reward_links import link as links
from setia.reward_links.choosing import Choice, Chosen, choices, choose, shown_again
from setia.reward_links.link import Fulfilment, Link, LinkTotals
from setia.reward_links.problems import InvalidRewardLink, NoSuchRewardLink, RewardLinkChosen

T = TypeVar("T")
LONGEST = dt.timedelta(days=5 * 366)
_EVERYWHERE = 0
"""Tokens are hashed for no program: whoever opens a link does not say whose it is."""


class Sending(NamedTuple):
    """A link that somebody wants to send."""

    kind: str
    amount: int | None
    valid_for: Period | None
    member: UUID | None
    reason: str | None


class Offered(NamedTuple):
    """A link as its recipient sees it, with what it offers, by the program's definition."""

    link: Link
    now: dt.datetime
    definition: Program
    choices: list[Choice]
    code: str | None


class RewardLinks:
    """The reward links of all programs of a database."""

    def __init__(self, database: Database, programs: LivePrograms, secret: Callable[[], bytes]) -> None:
        """`secret` gives the installation's secret; it is asked for when the first token is."""
        self._database, self._programs, self._secret = database, programs, secret

    @cached_property
    def book(self) -> CodeBook:
        """What makes tokens and codes, and knows them again."""
        return CodeBook(self._secret())

    def send(
        self, write: Keyed, wanted: Sending, actor: str, tell: Callable[[Link, dt.datetime], dict[str, Any]]
    ) -> tuple[dict[str, Any], str | None, bool]:
        """Make a link: its answer by `tell`, its token, which is kept nowhere, and whether it was made before.

        The same request again gives both, the token until the link has ended.
        """

        def work(tx: sa.Connection, terms: Terms, program: CompiledProgram) -> tuple[dict[str, Any], str | None, bool]:
            connection = driver_connection(tx)
            kept = claim(tx, write)
            if kept is not None:
                body = json.loads(kept.body)
                found = links.find(connection, terms.program_id, UUID(body["link"]))
                open_still = found is not None and found.state_at(terms.now) in {"sent", "opened"}
                return body["answer"], self.book.code_of(UUID(body["link"])) if open_still else None, True
            link = _made(terms, program.version, wanted, actor)
            if wanted.member is not None:
                check_open(connection, terms.program_id, wanted.member)
            if not choices(connection, program, link, terms.now):
                item = ErrorItem(pointer="#/kind", message="Nothing is left of what such a link offers.")
                raise InvalidRewardLink("No link was made.", errors=[item])
            token = self.book.code_of(link.id)
            links.insert(connection, link, self.book.hash_of(_EVERYWHERE, token))
            answer = tell(link, terms.now)
            keep(tx, write, 201, json.dumps({"link": str(link.id), "answer": answer}))
            return answer, token, False

        return self._run(write.program_id, work)

    def find(self, program_id: int, link_id: UUID) -> tuple[Link, dt.datetime]:
        """One link; raises `NoSuchRewardLink`."""
        return self._run(program_id, lambda tx, terms, _: (_found(tx, terms, link_id), terms.now))

    def page(self, program_id: int, *, before: UUID | None, most: int) -> tuple[list[Link], dt.datetime]:
        """The links of a program, the newest first."""

        def work(tx: sa.Connection, terms: Terms, _: CompiledProgram) -> tuple[list[Link], dt.datetime]:
            found = links.list_links(driver_connection(tx), program_id, before=before, most=most)
            return found, terms.now

        return self._run(program_id, work)

    def withdraw(self, program_id: int, link_id: UUID) -> tuple[Link, dt.datetime]:
        """End a link before it is used. Again, or after its time, it changes nothing; raises `RewardLinkChosen`."""

        def work(tx: sa.Connection, terms: Terms, _: CompiledProgram) -> tuple[Link, dt.datetime]:
            link = _found(tx, terms, link_id, lock=True)
            state = link.state_at(terms.now)
            if state == "redeemed":
                raise RewardLinkChosen("It was redeemed, so it cannot be withdrawn.")
            if state in {"sent", "opened"}:
                link = msgspec.structs.replace(link, withdrawn_at=terms.now)
                links.save(driver_connection(tx), link)
            return link, terms.now

        return self._run(program_id, work)

    def fulfil(self, program_id: int, link_id: UUID, fulfilment: Fulfilment) -> tuple[Link, dt.datetime]:
        """Say how far the delivery of what was chosen is; raises `NoSuchRewardLink`, `InvalidRewardLink`."""

        def work(tx: sa.Connection, terms: Terms, _: CompiledProgram) -> tuple[Link, dt.datetime]:
            link = _found(tx, terms, link_id, lock=True)
            if link.fulfilment is None:
                raise InvalidRewardLink("Nothing of it is sent or done by others.")
            link = msgspec.structs.replace(link, fulfilment=fulfilment)
            links.save(driver_connection(tx), link)
            return link, terms.now

        return self._run(program_id, work)

    def open(self, token: str) -> Offered:
        """A link by its token, as its recipient sees it; the first look is noted. Raises `NoSuchRewardLink`."""

        def work(tx: sa.Connection) -> Offered:
            connection = driver_connection(tx)
            link, terms, program = self._by_token(tx, token)
            if link.state_at(terms.now) == "sent":
                link = msgspec.structs.replace(link, opened_at=terms.now)
                links.save(connection, link)
            ended = link.state_at(terms.now) != "opened"
            offered = [] if ended else choices(connection, program, link, terms.now)
            return Offered(
                link, terms.now, terms.definition, offered, shown_again(connection, self.book, link, terms.now)
            )

        return self._database.run(work)

    def choose(self, token: str, reward: str) -> tuple[Chosen, dt.datetime]:
        """Choose a reward; see `choosing.choose`."""

        def work(tx: sa.Connection) -> tuple[Chosen, dt.datetime]:
            link, terms, program = self._by_token(tx, token)
            return choose(driver_connection(tx), program, terms, self.book, link, reward), terms.now

        return self._database.run(work)

    def totals(self, program_id: int, since: dt.datetime | None, until: dt.datetime | None) -> list[LinkTotals]:
        """How many links were sent, opened, redeemed and expired, and what that costs."""
        return self._run(
            program_id,
            lambda tx, terms, _: links.link_totals(driver_connection(tx), program_id, terms.now, since, until),
        )

    def _by_token(self, tx: sa.Connection, token: str) -> tuple[Link, Terms, CompiledProgram]:
        """The link of a token, locked, by the time and the definition of its program.

        A kind that the live version has no more is what it was when the link was sent: it is a promise, and who takes
        it back withdraws the link.
        """
        link = links.find_by_token(driver_connection(tx), self.book.hash_of(_EVERYWHERE, token), lock=True)
        if link is None:
            raise NoSuchRewardLink("Check the address for a slip.")
        terms, program = self._terms(tx, link.program_id)
        if link.kind not in terms.definition.reward_links and link.program_version is not None:
            program = self._programs.version(link.program_id, link.program_version).compiled
            terms = terms._replace(definition=program.definition)
        return link, terms, program

    def _terms(self, tx: sa.Connection, program_id: int) -> tuple[Terms, CompiledProgram]:
        live = self._programs.live(driver_connection(tx), program_id)
        now = live.now(dt.datetime.now(dt.UTC))
        return Terms(program_id, live.compiled.definition, now), live.compiled

    def _run(self, program_id: int, work: Callable[[sa.Connection, Terms, CompiledProgram], T]) -> T:
        return self._database.run(lambda tx: work(tx, *self._terms(tx, program_id)))


def _found(tx: sa.Connection, terms: Terms, link_id: UUID, *, lock: bool = False) -> Link:
    found = links.find(driver_connection(tx), terms.program_id, link_id, lock=lock)
    if found is None:
        raise NoSuchRewardLink
    return found


def _made(terms: Terms, version: int, wanted: Sending, actor: str) -> Link:
    kind = terms.definition.reward_links.get(wanted.kind)
    if kind is None:
        known = ", ".join(terms.definition.reward_links) or "none"
        item = ErrorItem(pointer="#/kind", message="The live version has no such links.", hint=f"There are: {known}.")
        raise InvalidRewardLink("No link was made.", errors=[item])
    currency = kind.currency or terms.definition.program.currency
    amount = wanted.amount
    if amount is None:
        if kind.amount is None:
            item = ErrorItem(pointer="#/amount", message="is missing, and the kind of link says none")
            raise InvalidRewardLink("No link was made.", errors=[item])
        amount = units_of(kind.amount, currency)
    zone = ZoneInfo(terms.definition.program.timezone)
    ends = after(terms.now, wanted.valid_for or kind.valid_for, zone)
    if wanted.valid_for is not None and not terms.now < ends <= terms.now + LONGEST:
        item = ErrorItem(pointer="#/valid_for", message="must be some time, and five years at most", hint="Write 30d.")
        raise InvalidRewardLink("No link was made.", errors=[item])
    return Link(
        id=new_id(),
        created_at=terms.now,
        expires_at=ends,
        opened_at=None,
        chosen_at=None,
        withdrawn_at=None,
        member_id=wanted.member,
        card_id=None,
        amount=amount,
        program_id=terms.program_id,
        program_version=version,
        kind=wanted.kind,
        currency=currency,
        reason=wanted.reason,
        reward=None,
        fulfilment=None,
        stock_keys=[],
        actor=actor,
    )
