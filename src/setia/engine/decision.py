"""The answer of the engine: effects, the postings they want, the next state, and the explanation."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any, Literal

import msgspec

from setia.engine.coupon_change import CouponChange, CouponFault
from setia.engine.moved import Merged, Moved
from setia.engine.payment import Payment
from setia.engine.returned import BoughtWith, Returned
from setia.engine.reward_reasons import RefusedReward
from setia.engine.state import Counters, Floor, OfferState


class PointsEffect(msgspec.Struct, gc=False, frozen=True, omit_defaults=True):
    """Points that one campaign earns (`amount` > 0) or deducts (`amount` < 0), in the smallest unit of the point type.

    `wanted` is what the campaign would have given without limits; it stands only where it differs. `by_line` tells
    which line each part came from (line index -> amount; -1 is shipping), so that a return can undo it.
    """

    points: str
    amount: int
    campaign: str
    wanted: int | None = None
    by_line: dict[int, int] = {}
    available_at: dt.datetime | None = None
    expires_at: dt.datetime | None = None
    waits_for: str | None = None
    """The event that the points wait for; with `available_at`, whichever comes first."""
    review: str | None = None
    """The velocity rule by which a person has to approve them first, whatever else they wait for."""

    @property
    def is_pending(self) -> bool:
        """Whether the points cannot be used yet."""
        return self.available_at is not None or self.waits_for is not None or self.review is not None


class LotMove(msgspec.Struct, gc=False, frozen=True, omit_defaults=True):
    """What an event or a person did to `amount` points that lay in a lot already.

    `released`: pending points can be used. `cancelled`: pending points were taken back. `expired`: they were ended.
    `extended`: they end at `expires_at` (None: never) and not when their lot did. `kept`: a person has approved them,
    and they wait on for what they waited for before. `voided`: given by hand, a person has not approved them. Points
    that lie in no lot have the lot (0, 0). `order` is the external id of the event that had earned them, `occurred_at`
    when that occurred.
    """

    what: Literal["released", "cancelled", "expired", "extended", "kept", "voided"]
    points: str
    amount: int
    campaign: str
    lot: tuple[int, int]
    order: str | None = None
    occurred_at: dt.datetime | None = None
    expires_at: dt.datetime | None = None


class DiscountEffect(msgspec.Struct, frozen=True, omit_defaults=True):
    """What one cart promotion took off: from each line (-1: from shipping), in the smallest unit of the currency.

    `wanted` stands where a cap, or what other promotions had left, made it less. `added_units` are for the caller to
    add for free; `code` is the code that it was given for, and `coupon` the coupon that has this code. `units` of
    articles were discounted, those to add included; limits count them.
    """

    campaign: str
    amount: int
    by_line: dict[int, int] = {}
    wanted: int | None = None
    added_units: int = 0
    code: str | None = None
    coupon: str | None = None
    units: int = 0


class RewardEffect(msgspec.Struct, frozen=True, omit_defaults=True):
    """A reward that was redeemed with an order.

    `quantity` of it were used (`wanted`, where more were asked for), for `points` (point type -> smallest units)
    together. `amount` was taken off: from each line (-1: from shipping), in the smallest unit of the currency.
    `added_units` of the article `sku` are for the caller to add, for `money` together. `redemption` is its id, once it
    is booked.
    """

    reward: str
    quantity: int
    points: dict[str, int] = {}
    amount: int = 0
    by_line: dict[int, int] = {}
    wanted: int | None = None
    added_units: int = 0
    sku: str | None = None
    money: int = 0
    redemption: str | None = None


REDEMPTION = "redemption"
"""The name under which points that rewards cost stand among the effects."""
REFUND_GRACE = "refund_grace"
"""The name under which points that come back stand among the effects where they get another end."""

RefusedReason = (
    Literal[
        "unknown", "another_code", "schedule", "condition", "lines", "limit", "group", "exclusive", "error", "nothing"
    ]
    | CouponFault
)


class RefusedCode(msgspec.Struct, frozen=True, omit_defaults=True):
    """A code that was shown and did nothing, and why.

    `unknown`: no promotion has it. `another_code`: its promotion was had by another code. Else what is wrong with the
    coupon it is of, or the verdict of its promotion, `campaign`.
    """

    code: str
    reason: RefusedReason
    campaign: str | None = None


class ToPay(msgspec.Struct, frozen=True):
    """What promotions have left of an order: each line, shipping, what the caller takes off the whole, and the total.

    In the smallest unit of the currency, with tax; `tax` is what lines and shipping contain of it.
    """

    lines: list[int]
    shipping: int
    discount: int
    total: int
    tax: int


class Undone(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a return takes back: the order it is of, and the campaigns that are used no more, as often as they were.

    What was counted for the order goes where it was counted: into the windows and periods of the order's day, and the
    budgets of the `version` that decided it. `closed` are the windows over a period that has ended since; the order
    counts in them no more, whatever comes back of it. `resumed` are those that go on, since the rise that ended them is
    taken back, with what they come to. `hangs`: tier set -> the levels that other orders than this one keep up.
    `cancels` is the return that was cancelled, where it is that which is undone and not the order. `units`: promotion
    -> units that it discounts no more.
    """

    event: str
    occurred_at: dt.datetime
    uses: list[str] = []
    returned: Returned | None = None
    version: int = 0
    closed: list[str] = []
    resumed: dict[str, int] = {}
    hangs: dict[str, list[str]] = {}
    cancels: str | None = None
    units: dict[str, int] = {}


class TierChange(msgspec.Struct, gc=False, frozen=True):
    """A member came into another level of a tier set."""

    tier_set: str
    before: str
    after: str
    campaign: str | None = None
    """The campaign that set it; None when the metrics did, a review or somebody by hand."""


class OfferChange(msgspec.Struct, gc=False, frozen=True, omit_defaults=True):
    """What happened to one instance of an offer, and how it stands since.

    `counted`: the event added `added` to its progress, and completed it `completed` times; `target` is what one
    completion takes. `assigned`: it began to be the member's. `activated`: the member said yes to it.
    """

    kind: Literal["counted", "assigned", "activated"]
    instance: str
    state: OfferState
    target: int
    added: int = 0
    completed: int = 0


class Outcome(msgspec.Struct, omit_defaults=True):
    """Everything an event caused. It is stored with the journal entry and enough to count the state again.

    `balances` (point type -> available, pending, held) and `levels` (tier set -> level) are the member's afterwards: a
    repeated request is answered with them, whatever has happened since.
    """

    points: list[PointsEffect] = []
    tiers: list[TierChange] = []
    attributes: dict[str, Any] = {}
    tags_added: list[str] = []
    tags_removed: list[str] = []
    custom: list[tuple[str, str, dict[str, Any]]] = []
    """(campaign, effect name, values)"""
    uses: list[str] = []
    """Campaigns that were used, in order; limits count them."""
    balances: dict[str, tuple[int, int, int]] = {}
    levels: dict[str, str] = {}
    counted: dict[str, int] = {}
    """What the event added to the member's metrics: `orders`, `visits`, `spend` (smallest unit of the currency)."""
    renewed: list[str] = []
    """Tier sets whose level was kept at a review, or qualified for again: a new period begins."""
    graced: dict[str, dt.datetime] = {}
    """Tier sets whose level was not kept, and until when it stays all the same."""
    floors: dict[str, Floor | None] = {}
    """Tier sets whose level was given by hand (None: that has ended)."""
    beneath: dict[str, str | None] = {}
    """Tier sets in which a member stands higher by a level given by hand, and the level without it (None: no more)."""
    extends: list[str] = []
    """Point types whose points live longer by this activity."""
    decayed: list[str] = []
    """Point types of which a share ended, since the member was not active."""
    moves: list[LotMove] = []
    """What was done to points that were there already, apart from taking them and their end in time."""
    offers: list[OfferChange] = []
    fired: dict[str, str] = {}
    """Trigger of time -> the occasions it has fired for, this one included, as `engine.triggers` marks them."""
    active: list[str] = []
    """Triggers of inactivity for which the event is activity."""
    discounts: list[DiscountEffect] = []
    """What cart promotions took off, in the order in which they applied."""
    refused: list[RefusedCode] = []
    """Codes that were shown and did nothing."""
    coupons: list[CouponChange] = []
    """What was done to coupons, in this order."""
    redeemed: list[RewardEffect] = []
    """The rewards that were redeemed with a purchase, in the order in which they were asked for."""
    to_pay: ToPay | None = None
    """Of a purchase with prices before promotions: what is left to pay, after its rewards too."""
    velocity: list[tuple[str, str, int]] = []
    """What velocity rules have counted it as: (rule, whom it was counted for, how much)."""
    frozen: bool | None = None
    """Whether points cannot be spent from now on, where somebody has just said so."""
    refund: int | None = None
    """Of a return of such a purchase: what the customer gets back of it; below 0 where a return was cancelled."""
    payment: Payment | None = None
    """Of a purchase for which gift cards were shown, and of its return: what they paid, or got back."""
    bought: list[BoughtWith] = []
    """Of a return: what its order's points had been spent on, where they were not there any more."""
    undoes: Undone | None = None
    """Of a return: which order it is of. `points` and `counted` then are differences to what stood of the order."""
    voids: dict[str, list[str]] | None = None
    """Of points that a review has voided: tier set -> the levels that hung on them, and that others keep up."""
    moved: Moved | None = None
    """Of points that were moved by somebody's decision: which way, and the entry on the other side."""
    merged: Merged | None = None
    """Of the member who stays when two are merged, and when that is undone."""


Verdict = Literal[
    "matched",
    "schedule",
    "condition",
    "lines",
    "limit",
    "group",
    "exclusive",
    "error",
    "nothing",
    "base",
    "coupon",
    "offer",
    "progress",
]


class OfferStep(msgspec.Struct, gc=False, omit_defaults=True):
    """What an event does to one instance of an offer: `before` + `added` against `target`, then `after`.

    `completed` times it was completed; `wanted` stands where a limit allowed fewer. Of a set of articles `items` are
    those it has after it.
    """

    instance: str
    before: int
    added: int
    after: int
    target: int
    completed: int = 0
    wanted: int | None = None
    items: tuple[str, ...] = ()


class Considered(msgspec.Struct, gc=False, omit_defaults=True):
    """What became of one campaign.

    `verdict`: `matched`; or why not: outside its `schedule`, the `condition` failed (`clause` is the first part that
    did, `values` what it read), no `lines` fit, a `limit` was used up, another of its `group` or an `exclusive`
    campaign won (`by`), an `error` in an expression, its base campaign earned nothing (`base`), it needs a `coupon`
    that was not shown, or it came to `nothing`. A promotion that `matched` names the `limit` that left it fewer units.

    An offer is considered once for each of its instances that runs, with what the event does to it in `offer`:
    `matched` where it completes the offer, else `progress`. Where none runs, the verdict is `offer`, and `clause` says
    how the newest stands: `unassigned`, `scheduled`, `waiting` for its member, `completed` or `ended`.
    """

    campaign: str
    verdict: Verdict
    clause: str | None = None
    values: dict[str, Any] = {}
    error: str | None = None
    by: str | None = None
    limit: str | None = None
    arithmetic: list[Arithmetic] = []
    offer: OfferStep | None = None


class Arithmetic(msgspec.Struct, gc=False, omit_defaults=True):
    """How one amount of points came about.

    `rate` is the rate as written; `basis` the money or quantity counted (decimal text); `exact` the points before
    rounding, as numerator and denominator in the smallest unit; `wanted` after rounding and `granted` after limits;
    `of` the campaign that was multiplied; `cut_by` the limit that cut. The parts by line stand in the effect.
    """

    points: str
    rate: str
    basis: str
    exact: tuple[int, int]
    wanted: int
    granted: int
    parts: list[tuple[int, int]] = []
    """Where it is counted by line: (line, numerator over the denominator of `exact`); lines not named did not count."""
    of: str | None = None
    cut_by: str | None = None


class Weighed(msgspec.Struct, frozen=True, omit_defaults=True):
    """What one level asked for at a review, and what there was: amounts in the smallest unit of the metric."""

    level: str
    metric: str
    value: int
    needed: int


class Hurried(msgspec.Struct, frozen=True, omit_defaults=True):
    """A velocity rule that something has broken: `counted` within its time, where `most` is fine."""

    rule: str
    per: str
    subject: str
    counted: int
    most: int
    then: str
    points: str | None = None


class Explanation(msgspec.Struct, omit_defaults=True):
    """Why the outcome is what it is: the inputs used and every campaign considered, in order of evaluation."""

    considered: list[Considered] = []
    inputs: dict[str, Any] = {}
    tiers: dict[str, str] = {}
    """Tier set -> the arithmetic of its metric, such as `520/900`."""
    weighed: list[Weighed] = []
    """At a review: what keeping the level asked for."""
    velocity: list[Hurried] = []
    """The velocity rules that it has broken."""
    attributes: dict[str, Any] = {}
    """Of a purchase: the member's attributes that expressions may read, as they were; a return decides by them."""
    tags: tuple[str, ...] = ()
    """Of a purchase: the member's tags as they were."""


class Decision(msgspec.Struct):
    """What `decide` returns. `outcome` and `explanation` are stored; `counters` replaces the member's."""

    program_version: int
    outcome: Outcome
    counters: Counters
    explanation: Explanation
    budget_uses: dict[str, dict[str, int]] = {}
    """Budget key -> period -> what this decision took from it."""
    refused: list[RefusedReward] = []
    """Rewards that a purchase asked for and that cannot be had: nothing of the decision may be kept then."""
    staying: dict[str, dict[str, int]] = {}
    """Of a return: redemption of its order -> point type -> what of it stays spent. Others stay as they are."""


# Decimals are numbers in JSON, and come back as the decimals they were: what a campaign set stays exact.
as_json = msgspec.json.Encoder(decimal_format="number").encode
outcome_of = msgspec.json.Decoder(Outcome, float_hook=Decimal).decode
explanation_of = msgspec.json.Decoder(Explanation, float_hook=Decimal).decode
