"""A shop with coupons, without a database: what the journal and the table of coupons would keep of them."""

from __future__ import annotations

import datetime as dt
from typing import Any

import msgspec

from engine.return_world import NOON, Returned, ReturnedLine, Shop, line
from setia.engine.compiled import CompiledProgram
from setia.engine.coupon_change import CouponChange
from setia.engine.decision import Decision
from setia.engine.occurrences import Line
from setia.engine.returned_coupons import GrantedCoupon, UsedCoupon
from setia.engine.state import Coupon

__all__ = ["NOON", "CouponShop", "Held", "Returned", "ReturnedLine", "line"]


class Held(msgspec.Struct):
    """A coupon as the table keeps it."""

    id: str
    campaign: str
    worth: int | None = None
    spent: int = 0
    uses: int | None = None
    used: int = 0
    ends: dt.datetime | None = None
    is_cancelled: bool = False
    order: int | None = None
    by: str = ""

    @property
    def left(self) -> int | None:
        return None if self.worth is None else self.worth - self.spent

    @property
    def uses_left(self) -> int | None:
        return None if self.uses is None else self.uses - self.used


class _Use(msgspec.Struct):
    taken: int | None
    restored: int = 0
    is_restored: bool = False
    by_hand: bool = False


class CouponShop(Shop):
    """The shop of the return tests, in which orders are paid with coupons and earn some."""

    def __init__(self, program: CompiledProgram, *coupons: Held) -> None:
        super().__init__(program)
        self.coupons = {one.id: one for one in coupons}
        self.uses: dict[tuple[int, str], _Use] = {}

    def order(self, *lines: Line | int, show: tuple[str, ...] = (), at: dt.datetime = NOON) -> Decision:
        """An order with prices before promotions, to which coupons are shown."""
        shown = [self.coupons[name] for name in show]
        self.state.coupons = [
            Coupon(
                *(one.id, one.campaign, one.id, None, None, one.ends),
                *(one.left, one.uses_left),
                is_void=one.is_cancelled,
            )
            for one in shown
        ]
        number = len(self.orders)
        decision = self.buy(*lines, at=at, pricing="before", codes=show)
        self.state.coupons = []
        self._keep(number, decision.outcome.coupons)
        return decision

    def bring_back(self, order: int, *lines: ReturnedLine, **more: Any) -> Decision:
        """A return of lines, of an `amount`, or of everything."""
        self._look(order)
        decision = self.give_back(order, *lines, **more)
        self._keep(order, decision.outcome.coupons)
        return decision

    def take_again(self, order: int, number: int) -> Decision:
        """Cancel a return."""
        self._look(order)
        decision = self.cancel(order, number)
        self._keep(order, decision.outcome.coupons)
        return decision

    def give_by_hand(self, order: int) -> None:
        """Give all back that an order has of its coupons."""
        for (number, name), use in self.uses.items():
            if number == order:
                one = self.coupons[name]
                one.used, one.spent = one.used - (not use.is_restored), one.spent - (use.taken or 0) + use.restored
                use.restored, use.is_restored, use.by_hand = use.taken or 0, True, True

    def standing(self) -> dict[str, tuple[int | None, int, int]]:
        """Every coupon that is not cancelled as it stands: worth, spent and used."""
        return {name: (one.worth, one.spent, one.used) for name, one in self.coupons.items() if not one.is_cancelled}

    def _look(self, order: int) -> None:
        past = self.orders[order]
        used = [
            UsedCoupon(
                *(name, self.coupons[name].campaign, name, self.coupons[name].ends),
                *(use.taken, use.restored, use.is_restored),
                *(self.coupons[name].left, self.coupons[name].uses_left, self.coupons[name].is_cancelled),
                by_hand=use.by_hand,
            )
            for (number, name), use in self.uses.items()
            if number == order
        ]
        granted = [
            GrantedCoupon(one.id, one.campaign, one.by, one.worth, one.spent, one.used, one.is_cancelled)
            for one in self.coupons.values()
            if one.order == order
        ]
        self.orders[order] = msgspec.structs.replace(past, used=used, granted=granted)

    def _keep(self, order: int, changes: list[CouponChange]) -> None:
        for change in changes:
            amount = change.amount or 0
            if change.what == "granted":
                name = f"g{len(self.coupons)}"
                self.coupons[name] = Held(
                    name, change.campaign, change.amount, ends=change.ends, order=order, by=change.by or ""
                )
                continue
            one = self.coupons[change.coupon]
            use = self.uses.get((order, one.id))
            if change.what == "used":
                one.used, one.spent = one.used + change.uses, one.spent + amount
                if use is None:
                    self.uses[order, one.id] = _Use(change.amount)
                else:
                    use.restored, use.is_restored = use.restored - amount, use.is_restored and not change.uses
            elif change.what == "restored":
                assert use is not None
                one.used, one.spent = one.used - change.uses, one.spent - amount
                use.restored, use.is_restored = use.restored + amount, use.is_restored or bool(change.uses)
            else:
                one.worth = None if one.worth is None else one.worth + amount
                one.is_cancelled = change.what == "cancelled"
            assert one.used >= 0
            assert one.uses is None or one.used <= one.uses
            assert one.spent >= 0
            assert one.worth is None or one.spent <= one.worth
