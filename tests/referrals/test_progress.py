"""How far a referral is: what holds for whatever a friend buys and brings back, at any moment."""

import datetime as dt
from collections.abc import Sequence
from uuid import UUID
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from setia.program.referrals import Referral
from setia.referrals.progress import FriendOrder, Progress, Terms, progress_of

JOINED = dt.datetime(2026, 3, 20, 22, tzinfo=dt.UTC)
moments = st.integers(-3 * 24, 60 * 24).map(lambda hours: JOINED + dt.timedelta(hours=hours))


@st.composite
def orders(draw: st.DrawFn) -> FriendOrder:
    bought = draw(st.integers(0, 6))
    left = draw(st.integers(0, bought))
    return FriendOrder(UUID(int=draw(st.integers(1, 10**6))), "o", draw(moments), bought, left, draw(st.booleans()))


deadlines: st.SearchStrategy[dict[str, str]] = st.one_of(
    st.just({}),
    st.fixed_dictionaries({"within": st.sampled_from(["10d", "40d"]), "grace": st.sampled_from(["0d", "7d", "20d"])}),
)


@st.composite
def all_terms(draw: st.DrawFn) -> Terms:
    reward_at = draw(st.sampled_from(["enrolled", "first_purchase", "purchase"]))
    about_orders = reward_at != "enrolled"
    definition = Referral.model_validate(
        {
            "reward_at": reward_at,
            "after": draw(st.sampled_from(["0d", "36h", "14d", "1mo"])),
            **(draw(deadlines) if about_orders else {}),
        }
    )
    return Terms(definition, draw(st.integers(0, 5)) if about_orders else 0, ZoneInfo("Europe/Berlin"))


histories = st.lists(orders(), max_size=4)


@given(all_terms(), histories, moments)
def test_nobody_is_paid_but_for_what_the_terms_ask(
    terms: Terms, bought: Sequence[FriendOrder], now: dt.datetime
) -> None:
    found = progress_of(terms, JOINED, bought, now)
    if found.pays:
        assert found.state == "qualified"
        assert found.due_at is not None
        assert JOINED <= found.due_at <= now
        if terms.definition.reward_at == "enrolled":
            assert found.order is None
            return
        assert found.order is not None
        assert found.order.left >= terms.least
        assert found.order.stands
        deadline = terms.deadline(JOINED)
        assert deadline is None or found.order.occurred_at <= deadline
        if terms.definition.reward_at == "first_purchase":
            in_time = [order for order in bought if deadline is None or order.occurred_at <= deadline]
            assert found.order == in_time[0]
        else:
            assert found.order in bought


@given(all_terms(), histories, moments, moments)
def test_time_alone_goes_on_and_never_back(
    terms: Terms, bought: Sequence[FriendOrder], one: dt.datetime, other: dt.datetime
) -> None:
    before, after = (progress_of(terms, JOINED, bought, now) for now in sorted((one, other)))
    if before.pays:
        assert after == before
    if before.over:
        assert (after.state, after.reason, after.over) == (before.state, before.reason, True)
    assert before.state == after.state or (before.state, after.reason) == ("joined", "too_late")


@given(all_terms(), histories, moments)
def test_whoever_is_to_be_looked_at_again_is_looked_at_in_time(
    terms: Terms, bought: Sequence[FriendOrder], now: dt.datetime
) -> None:
    """Before `due_at` nothing changes by time alone, and what is neither over nor due waits for the friend."""
    found = progress_of(terms, JOINED, bought, now)
    assert not (found.pays and found.over)
    horizon = found.due_at if found.due_at is not None and found.due_at > now else None
    if horizon is not None:
        assert progress_of(terms, JOINED, bought, horizon - dt.timedelta(microseconds=1)) == found
    elif not found.pays:
        assert progress_of(terms, JOINED, bought, now + dt.timedelta(days=3650))[:2] == found[:2]


@given(all_terms(), orders(), histories, moments)
def test_later_orders_never_spoil_what_an_earlier_one_won(
    terms: Terms, first: FriendOrder, more: Sequence[FriendOrder], now: dt.datetime
) -> None:
    alone = progress_of(terms, JOINED, [first], now)
    together = progress_of(terms, JOINED, [first, *more], now)
    deadline = terms.deadline(JOINED)
    is_first = terms.definition.reward_at == "first_purchase" and (deadline is None or first.occurred_at <= deadline)
    if alone.state == "qualified" or is_first:
        assert together == alone


@given(all_terms(), histories, orders(), moments, moments)
def test_until_the_grace_is_over_it_does_not_matter_when_an_order_is_told(
    terms: Terms, before: Sequence[FriendOrder], told: FriendOrder, one: dt.datetime, other: dt.datetime
) -> None:
    """Who was told nothing in time, and is told all later, comes to the same as who was told at once."""
    early, late = sorted((one, other))
    closes = terms.closes(JOINED)
    if progress_of(terms, JOINED, before, early).over or (closes is not None and closes <= early):
        return
    waits = progress_of(terms, JOINED, before, early)
    assert not waits.over
    found = progress_of(terms, JOINED, [*before, told], late)
    deadline = terms.deadline(JOINED)
    if deadline is not None and told.occurred_at > deadline:
        assert found == progress_of(terms, JOINED, before, late)
    elif not before and terms.definition.reward_at != "enrolled" and told.stands and told.left >= terms.least:
        assert found.state == "qualified"


def test_an_order_that_came_before_the_friend_joined_waits_until_then() -> None:
    terms = Terms(Referral(), 0, ZoneInfo("UTC"))
    early = FriendOrder(UUID(int=1), "o", JOINED - dt.timedelta(days=2), 5, 5, stands=True)
    found = progress_of(terms, JOINED, [early], JOINED)
    assert found == Progress("qualified", None, JOINED, early.occurred_at, early, pays=True)


def test_the_deadline_itself_is_in_time() -> None:
    terms = Terms(Referral.model_validate({"within": "1d"}), 0, ZoneInfo("UTC"))
    last = FriendOrder(UUID(int=1), "o", JOINED + dt.timedelta(days=1), 5, 5, stands=True)
    assert progress_of(terms, JOINED, [last], last.occurred_at).pays
    late = last._replace(occurred_at=last.occurred_at + dt.timedelta(microseconds=1))
    closes = last.occurred_at + dt.timedelta(days=7)
    assert terms.closes(JOINED) == closes
    assert progress_of(terms, JOINED, [late], late.occurred_at) == Progress("joined", due_at=closes)
    assert progress_of(terms, JOINED, [late, last], late.occurred_at).pays
    assert progress_of(terms, JOINED, [late], closes) == Progress("void", "too_late", over=True)
