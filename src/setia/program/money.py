"""Which part of what a customer paid counts: the money basis of a program or of one campaign."""

from __future__ import annotations

from typing import Literal

from setia.program.names import Part


class MoneyBasis(Part):
    """What `event.total`, `line.amount` and earn rates per amount are counted on.

    The default is what most programs mean: goods after discounts, with tax, without shipping, without gift cards sold
    and without the part that was paid with points. A gift card *used to pay* counts like money, since its sale did not.
    """

    of: Literal["goods", "order"] = "goods"
    """`goods`: the lines. `order`: the lines and shipping."""
    tax: Literal["included", "excluded"] = "included"
    discounts: Literal["after", "before"] = "after"
    gift_cards_sold: bool = False
    """Whether lines that sell gift cards (label `gift_card`) count."""
    paid_with_gift_card: bool = True
    paid_with_points: bool = False
