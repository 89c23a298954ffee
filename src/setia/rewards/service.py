"""What can be done with rewards: each a transaction, committed before the answer is made."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from functools import cached_property
from typing import NamedTuple, TypeVar
from uuid import UUID

import psycopg
import sqlalchemy as sa
from starlette.concurrency import run_in_threadpool

from setia.codes import guesses
from setia.db.engine import Database, driver_connection
from setia.engine.compiled_rewards import CompiledReward
from setia.engine.raffle import Ticket
from setia.engine.reward_reasons import Reason
from setia.engine.rewards import Availability, Available, Price, Wish, availability, price_for
from setia.events.live import LiveProgram, LivePrograms
from setia.events.members_in_play import read_in_play
from setia.events.problems import TAKEN_BY_OTHERS
from setia.events.settling import settle_one
from setia.members.merges import main_of
from setia.members.service import get_member
from setia.partners import outbox
from setia.partners.outbox import Delivery, DeliveryState
from setia.rewards import entitlements, partnered, raffles, redemption
from setia.rewards.at_the_till import Judged, Presented, Tills, Used
from setia.rewards.clerk import RedemptionClerk
from setia.rewards.codes import CodeBook
from setia.rewards.ending import Ended, Ending
from setia.rewards.entitlements import Entitlement, EntitlementUse
from setia.rewards.entitlements import Wish as EntitlementWish
from setia.rewards.expiring import expire_due
from setia.rewards.partnered import Seen
from setia.rewards.pools import Imported, Pool, import_codes, list_pools
from setia.rewards.problems import NoSuchCode, NoSuchRedemption, RewardUnavailable
from setia.rewards.raffles import Draw
from setia.rewards.redeeming import Redeemed, Wanted, unavailable
from setia.rewards.redemption import Redemption
from setia.rewards.stock import StockExhausted, used_of
from setia.rewards.terms import terms_of
from setia.rewards.together import Together

T = TypeVar("T")
_TRIES = 2


class Offered(NamedTuple):
    """A reward of the catalogue for one member: what it costs the member, and whether and why not."""

    reward: CompiledReward
    price: Price
    availability: Availability

    @property
    def is_taken_by_others(self) -> bool:
        """Whether what others have, or hold, is a reason why not."""
        found = self.availability
        return not isinstance(found, Available) and any(reason.code in TAKEN_BY_OTHERS for reason in found)


class Read(NamedTuple):
    """One redemption, under the version that is live, and what its partner was asked for."""

    live: LiveProgram
    row: Redemption
    seen: Seen | None


class Rewards:
    """The rewards of all programs of a database."""

    def __init__(self, database: Database, programs: LivePrograms, secret: Callable[[], bytes]) -> None:
        """`secret` gives the installation's secret; it is asked for when the first code is."""
        self._database, self._programs, self._secret = database, programs, secret
        self._clerk = RedemptionClerk(database, programs, lambda: self.book)
        self._together = Together(self._clerk.redeem)

    def stop(self) -> None:
        """Redeem what waits, and end."""
        self._together.stop()
        self._clerk.close()

    @cached_property
    def book(self) -> CodeBook:
        """What makes codes and knows them again."""
        return CodeBook(self._secret())

    def catalogue(self, program_id: int) -> tuple[LiveProgram, list[CompiledReward]]:
        """The rewards of the live version, those that are switched off left out."""
        live = self._run(program_id, lambda _, live: live)
        return live, [one for one in live.compiled.rewards.values() if one.definition.enabled]

    def terms_for(
        self, program_id: int, key: str | None, till: str, reference: str | None
    ) -> tuple[LiveProgram, Redemption | None]:
        """By which version a request is read: the live one, or that of the redemption that it made before.

        What is published meanwhile does not make another request of the same one.
        """

        def work(connection: psycopg.Connection[object], live: LiveProgram) -> tuple[LiveProgram, Redemption | None]:
            row = redemption.made_before(connection, program_id, key, till, reference)
            return live if row is None else terms_of(live, row.program_version), row

        return self._run(program_id, work)

    def of_member(self, program_id: int, member: UUID, now: dt.datetime) -> tuple[LiveProgram, list[Offered]]:
        """The catalogue as one member sees it; what time has done to the member is booked first."""

        def work(connection: psycopg.Connection[object], live: LiveProgram) -> tuple[LiveProgram, list[Offered]]:
            moment = live.now(now)
            settle_one(connection, live, member, moment)
            state = read_in_play(connection, live.compiled, program_id, member).state
            rewards = [one for one in live.compiled.rewards.values() if one.definition.enabled]
            used = used_of(connection, live.compiled, program_id, member, [one.id for one in rewards], moment)
            return live, [
                Offered(
                    one,
                    price_for(live.compiled, one, state, moment),
                    availability(
                        live.compiled, one, state, used[one.id], moment, Wish(one.definition.quantities.least)
                    ),
                )
                for one in rewards
            ]

        live, offered = self._run(program_id, work, member)
        # Holds whose time has passed may still stand in the way: they are booked, and it is looked at again.
        if any(one.is_taken_by_others for one in offered) and expire_due(
            self._database, self._programs, now, program_id
        ):
            return self._run(program_id, work, member)
        return live, offered

    def redeem(self, program_id: int, wanted: Wanted) -> Redeemed:
        """Hold or redeem, together with whoever asks at the same time; see `redeeming.redeem`.

        Raises `RewardUnavailable` where others took the last one meanwhile.
        """
        refused = unavailable([Reason("out_of_stock", left=0)])
        for _ in range(_TRIES):
            try:
                return self._together.submit(program_id, wanted)
            except StockExhausted:
                pass
            except RewardUnavailable as problem:
                if not problem.is_taken_by_others:
                    raise
                refused = problem
            # Holds whose time has passed may still stand in the way: they are booked, and it is tried once more.
            if not expire_due(self._database, self._programs, wanted.now, program_id):
                break
        raise refused

    async def redeem_soon(self, program_id: int, wanted: Wanted) -> Redeemed:
        """The same from an event loop."""
        try:
            return await self._together.wait(program_id, wanted)
        except StockExhausted:
            pass
        except RewardUnavailable as problem:
            if not problem.is_taken_by_others:
                raise
        return await run_in_threadpool(self.redeem, program_id, wanted)

    def confirm(
        self,
        program_id: int,
        redemption_id: UUID,
        quantity: int | None,
        *,
        actor: str,
        now: dt.datetime,
        gift_card: UUID | None = None,
    ) -> Ended:
        """Confirm a hold, in full or part; `gift_card` is the card to load, where the reward is one."""
        return self._end(program_id, redemption_id, now, lambda ending: ending.confirm(quantity, actor, gift_card))

    def cancel(self, program_id: int, redemption_id: UUID, *, actor: str, now: dt.datetime) -> Ended:
        """Cancel a hold."""
        return self._end(program_id, redemption_id, now, lambda ending: ending.cancel(actor))

    def refund(self, program_id: int, redemption_id: UUID, *, actor: str, now: dt.datetime) -> Ended:
        """Refund a confirmed redemption."""
        return self._end(program_id, redemption_id, now, lambda ending: ending.refund(actor))

    def fulfil(self, program_id: int, redemption_id: UUID, state: str, now: dt.datetime) -> Ended:
        """Say how far the delivery of a redemption is."""
        return self._end(program_id, redemption_id, now, lambda ending: ending.fulfil(state))

    def deliveries(self, program_id: int, state: DeliveryState, *, before: UUID | None, most: int) -> list[Delivery]:
        """The deliveries of partners in one state, the newest first."""
        return self._run(
            program_id, lambda connection, _: outbox.page(connection, program_id, state, before=before, most=most)
        )

    def retry_delivery(self, program_id: int, redemption_id: UUID, *, now: dt.datetime) -> Delivery:
        """Let a partner be asked at once; see `partnered.retry`. `now` is the real time, here and below."""
        return self._run(program_id, lambda connection, _: partnered.retry(connection, program_id, redemption_id, now))

    def give_up_delivery(
        self, program_id: int, redemption_id: UUID, reason: str, *, actor: str, now: dt.datetime
    ) -> tuple[Delivery, bool]:
        """Ask a partner no more, and give the points back; and whether it was so before."""

        def work(connection: psycopg.Connection[object], live: LiveProgram) -> tuple[Delivery, bool]:
            done = Ending(connection, live, self.book, redemption_id, now).give_up(actor, reason, now)
            return partnered.delivery_of(connection, program_id, redemption_id), done.replayed

        return self._run(program_id, work)

    def find(self, program_id: int, redemption_id: UUID) -> tuple[LiveProgram, Redemption]:
        """One redemption; raises `NoSuchRedemption`."""
        return self._found(program_id, lambda connection: redemption.find(connection, program_id, redemption_id))

    def read(self, program_id: int, redemption_id: UUID, *, now: dt.datetime) -> Read:
        """One redemption, and what its partner was asked for; raises `NoSuchRedemption`."""

        def work(connection: psycopg.Connection[object], live: LiveProgram) -> Read:
            found = redemption.find(connection, program_id, redemption_id)
            if found is None:
                raise NoSuchRedemption
            return Read(live, found, partnered.seen(connection, self.book, found, now))

        return self._run(program_id, work)

    def find_by_reference(self, program_id: int, till: str, reference: str) -> tuple[LiveProgram, Redemption]:
        """The redemption that a till made under its own reference; raises `NoSuchRedemption`."""
        return self._found(
            program_id, lambda connection: redemption.find_by_reference(connection, program_id, till, reference)
        )

    def redemptions_of(
        self, program_id: int, member: UUID, *, before: UUID | None, most: int
    ) -> tuple[LiveProgram, list[Redemption]]:
        """A member's redemptions, the newest first."""
        return self._run(
            program_id,
            lambda connection, live: (
                live,
                redemption.of_member(
                    connection, main_of(connection, [member]).get(member, member), before=before, most=most
                ),
            ),
            member,
        )

    def validate_code(self, program_id: int, asked: Presented, *, who: str, now: dt.datetime) -> Judged:
        """Whether a code can be used."""
        return self._asked(program_id, who, now, lambda tills: tills.validate(asked))

    def redeem_code(self, program_id: int, asked: Presented, *, who: str, now: dt.datetime) -> Used:
        """Use a code."""
        return self._asked(program_id, who, now, lambda tills: tills.redeem(asked, who))

    def release_code(self, program_id: int, till: str, reference: str, *, who: str, now: dt.datetime) -> Used:
        """Take a use of a code back."""
        return self._asked(program_id, who, now, lambda tills: tills.release(till, reference))

    def import_codes(self, program_id: int, pool: str, codes: Sequence[str], now: dt.datetime) -> Imported:
        """Add codes to a pool."""
        return self._database.run(
            lambda tx: import_codes(driver_connection(tx), program_id, self.book, pool, codes, now)
        )

    def pools(self, program_id: int) -> list[Pool]:
        """The pools of a program."""
        return self._database.run(lambda tx: list_pools(driver_connection(tx), program_id))

    def entitlements_of(self, program_id: int, member: UUID, now: dt.datetime) -> list[Entitlement]:
        """What a member may use now."""
        return self._run(
            program_id,
            lambda connection, live: entitlements.entitlements_of(connection, live, member, live.now(now)),
            member,
        )

    def use_entitlement(
        self, program_id: int, wish: EntitlementWish, *, actor: str, now: dt.datetime
    ) -> EntitlementUse:
        """Use an entitlement once."""
        return self._run(
            program_id, lambda connection, live: entitlements.use(connection, live, wish, actor, now), wish.member
        )

    def release_entitlement(self, program_id: int, till: str, reference: str, *, now: dt.datetime) -> EntitlementUse:
        """Take the use of an entitlement back."""
        return self._run(
            program_id, lambda connection, live: entitlements.release(connection, live, till, reference, now)
        )

    def promise_draw(self, program_id: int, reward: str, *, actor: str) -> Draw:
        """Promise the next draw of a raffle."""
        return self._run(program_id, lambda connection, live: raffles.begin(connection, live, self.book, reward, actor))

    def draw_winners(self, program_id: int, draw_id: UUID, *, winners: int, entropy: str) -> Draw:
        """Draw the winners of a raffle."""
        return self._run(
            program_id,
            lambda connection, live: raffles.draw_winners(
                connection, live, self.book, draw_id, winners=winners, entropy=entropy
            ),
        )

    def draws(self, program_id: int, reward: str) -> list[Draw]:
        """The draws of a raffle."""
        return self._run(program_id, lambda connection, _: raffles.draws_of(connection, program_id, reward))

    def tickets(self, program_id: int, draw_id: UUID, *, after: UUID | None, most: int) -> list[Ticket]:
        """The tickets of a draw; raises `NoSuchDraw`."""

        def work(connection: psycopg.Connection[object], _: LiveProgram) -> list[Ticket]:
            raffles.find(connection, program_id, draw_id)
            return raffles.tickets_of(connection, draw_id, after=after, most=most)

        return self._run(program_id, work)

    def _end(self, program_id: int, redemption_id: UUID, now: dt.datetime, work: Callable[[Ending], Ended]) -> Ended:
        return self._run(
            program_id,
            lambda connection, live: work(Ending(connection, live, self.book, redemption_id, now)),
        )

    def _found(
        self, program_id: int, look: Callable[[psycopg.Connection[object]], Redemption | None]
    ) -> tuple[LiveProgram, Redemption]:
        def work(connection: psycopg.Connection[object], live: LiveProgram) -> tuple[LiveProgram, Redemption]:
            found = look(connection)
            if found is None:
                raise NoSuchRedemption
            return live, found

        return self._run(program_id, work)

    def _asked(self, program_id: int, who: str, now: dt.datetime, work: Callable[[Tills], T]) -> T:
        def whole(connection: psycopg.Connection[object], live: LiveProgram) -> T:
            guesses.check(connection, program_id, who, now)
            return work(Tills(connection, live, self.book, now))

        try:
            return self._run(program_id, whole)
        except NoSuchCode:
            self._database.run(lambda tx: guesses.count(driver_connection(tx), program_id, who, now))
            raise

    def _run(
        self,
        program_id: int,
        work: Callable[[psycopg.Connection[object], LiveProgram], T],
        member: UUID | None = None,
    ) -> T:
        def whole(tx: sa.Connection) -> T:
            if member is not None:
                get_member(tx, program_id, member)
            connection = driver_connection(tx)
            return work(connection, self._programs.live(connection, program_id))

        return self._database.run(whole)
