"""`/v1/sales` and `/v1/point-sales`: points for money, and back."""

from __future__ import annotations

import datetime as dt
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Path, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from setia.api.documented import problems
from setia.api.idempotency import REPLAYED, KeyRequired, KeyReused, OptionalKey
from setia.api.ids import read_id
from setia.api.pages import Cursor, Limit, Page, cut, read_cursor, write_cursor
from setia.api.strict import StrictRoute
from setia.api.values import Reason
from setia.codes.problems import ReferenceUsed
from setia.db.ids import format_id
from setia.events.acts import By
from setia.events.live import LiveProgram
from setia.identity.caller import MembersReader, PointsSeller, RewardsReader
from setia.ledger.entries import LARGEST_AMOUNT
from setia.members.identifiers import MEMBER_PREFIX
from setia.members.points import WalletBalance
from setia.members.schemas import MEMBER_EXAMPLE
from setia.members.service import NoSuchMember, StatusConflict
from setia.program.sales import Sale
from setia.rewards.schemas import Reference, RewardId, Till
from setia.sales.price import InvalidSale, NoSuchSale, price_of
from setia.sales.selling import Asked, NotRefundable, SaleLimit, Sold
from setia.sales.service import Sales
from setia.sales.sold import PointSale
from setia.versions.service import NothingPublished

router = APIRouter(prefix="/v1", tags=["points"], route_class=StrictRoute)

PREFIX = "psl"
SALE_EXAMPLE = f"{PREFIX}_{'0' * 32}"
_MOMENT = "2026-03-01T09:00:00Z"
Amount = Annotated[int, Field(strict=True, ge=1, le=LARGEST_AMOUNT)]


class PackageOut(BaseModel):
    """So many points, and what they cost. Both in the smallest unit."""

    points: int = Field(examples=[1000])
    money: int = Field(examples=[900])


class SaleOut(BaseModel):
    """Points for sale."""

    id: str = Field(examples=["top_up"])
    name: str | None = Field(examples=[None])
    points: str = Field(description="The point type.", examples=["stars"])
    currency: str = Field(examples=["EUR"])
    packages: list[PackageOut]
    price: str | None = Field(description="What one whole point costs, where there are no packages.", examples=[None])
    least: int | None = Field(examples=[None])
    most: int | None = Field(examples=[None])

    @classmethod
    def of(cls, live: LiveProgram, name: str, sale: Sale) -> SaleOut:
        """A sale of the live version."""
        program, unit = live.compiled, live.compiled.units[sale.points]
        identity = program.definition.program
        amounts = [int(one.points * unit) for one in sale.packages]
        return cls(
            id=name,
            name=None if sale.name is None else sale.name.in_locale(identity.locale),
            points=sale.points,
            currency=identity.currency,
            packages=[PackageOut(points=one, money=price_of(program, sale, one)) for one in amounts],
            price=None if sale.price is None else f"{sale.price:f}",
            least=None if sale.least is None else int(sale.least * unit),
            most=None if sale.most is None else int(sale.most * unit),
        )


class SalesOut(BaseModel):
    """What is for sale."""

    sales: list[SaleOut]


class BuyIn(BaseModel):
    """Points that a member has paid for."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {"member": MEMBER_EXAMPLE, "sale": "top_up", "points": 1000, "money": 900, "reference": "pay-17"}
            ]
        },
    )

    member: str = Field(max_length=100, description="The member's id.", examples=[MEMBER_EXAMPLE])
    sale: RewardId = Field(examples=["top_up"])
    points: Amount = Field(description="In the smallest unit of the point type.", examples=[1000])
    money: int = Field(
        strict=True, ge=0, le=LARGEST_AMOUNT, description="What was paid; it must be the price.", examples=[900]
    )
    source: Till = "api"
    reference: Reference | None = None


class RefundIn(BaseModel):
    """Why bought points are given back."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"reason": "Bought by mistake"}]})

    reason: Reason


class PointSaleOut(BaseModel):
    """Points that a member has bought."""

    id: str = Field(examples=[SALE_EXAMPLE])
    member: str = Field(examples=[MEMBER_EXAMPLE])
    sale: str = Field(examples=["top_up"])
    points: str = Field(description="The point type.", examples=["stars"])
    amount: int = Field(examples=[1000])
    money: int = Field(description="What was paid.", examples=[900])
    refunded: int = Field(description="How many points were given back.", examples=[0])
    money_back: int = Field(description="The money that is due for them.", examples=[0])
    source: str = Field(examples=["api"])
    reference: str | None = Field(examples=["pay-17"])
    bought_at: dt.datetime = Field(examples=[_MOMENT])
    refunded_at: dt.datetime | None
    reason: str | None = Field(description="Why they were given back.")
    balance_after: WalletBalance | None = Field(default=None, description="The wallet right after it.")

    @classmethod
    def of(cls, row: PointSale, done: Sold | None = None) -> PointSaleOut:
        """A point sale as the API says it."""
        return cls(
            id=format_id(PREFIX, row.id),
            member=format_id(MEMBER_PREFIX, row.member_id),
            sale=row.sale,
            points=row.points,
            amount=row.amount,
            money=row.money,
            refunded=row.refunded,
            money_back=row.money_back,
            source=row.source,
            reference=row.reference,
            bought_at=row.bought_at,
            refunded_at=row.refunded_at,
            reason=row.reason,
            balance_after=None if done is None else WalletBalance.of(done.balance),
        )


async def _sales(request: Request) -> Sales:
    sales: Sales = request.app.state.sales
    return sales


def _sale_id(
    sale_id: Annotated[str, Path(max_length=100, description="The point sale's id.", examples=[SALE_EXAMPLE])],
) -> UUID:
    return read_id(PREFIX, sale_id, NoSuchSale)


def _member(text: str) -> UUID:
    return read_id(MEMBER_PREFIX, text, NoSuchMember)


SalesOf = Annotated[Sales, Depends(_sales)]
SaleId = Annotated[UUID, Depends(_sale_id)]


@router.get("/sales", summary="Read which points are for sale", responses=problems(NothingPublished))
def get_sales(caller: RewardsReader, sales: SalesOf) -> SalesOut:
    """The sales of the live version, with their prices; those that are switched off are left out."""
    live = sales.catalogue(caller.program_id)
    found = live.compiled.definition.sales
    return SalesOut(sales=[SaleOut.of(live, name, one) for name, one in found.items() if one.enabled])


@router.post(
    "/point-sales",
    status_code=201,
    summary="Sell points to a member",
    responses=problems(
        *(NoSuchMember, NoSuchSale, NothingPublished, KeyRequired, KeyReused, ReferenceUsed),
        *(InvalidSale, SaleLimit, StatusConflict),
    ),
)
def sell_points(
    caller: PointsSeller, body: BuyIn, sales: SalesOf, response: Response, idempotency_key: OptionalKey = None
) -> PointSaleOut:
    """Book points that a member has paid for, at the price of the definition.

    It needs a `reference` or an Idempotency-Key: the same one and the same body give the first answer again.
    """
    if idempotency_key is None and body.reference is None:
        raise KeyRequired("Send a `reference` of the payment, or the header Idempotency-Key.")
    asked = Asked(
        member=_member(body.member),
        sale=body.sale,
        points=body.points,
        money=body.money,
        source=body.source,
        reference=body.reference,
    )
    done = sales.buy(caller.program_id, asked, By(caller.actor, key=idempotency_key), _now())
    if done.replayed:
        response.headers[REPLAYED] = "true"
    return PointSaleOut.of(done.row, done)


@router.get("/point-sales", summary="List what a member has bought", responses=problems(NoSuchMember))
def list_point_sales(
    caller: MembersReader,
    sales: SalesOf,
    member: Annotated[str, Query(max_length=100, description="The member's id.", examples=[MEMBER_EXAMPLE])],
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Page[PointSaleOut]:
    """Bought points, the newest first."""
    owner = _member(member)
    listed = f"point sales {format_id(MEMBER_PREFIX, owner)}"
    place = read_cursor(listed, cursor, UUID)
    before = None if place is None else place[0]
    rows = sales.of_member(caller.program_id, owner, before=before, most=limit + 1)
    page, following = cut(rows, limit, lambda row: write_cursor(listed, row.id.hex))
    return Page(items=[PointSaleOut.of(row) for row in page], next_cursor=following)


@router.get("/point-sales/{sale_id}", summary="Read a point sale", responses=problems(NoSuchSale))
def get_point_sale(caller: MembersReader, sale_id: SaleId, sales: SalesOf) -> PointSaleOut:
    """What was bought, and what was given back."""
    return PointSaleOut.of(sales.find(caller.program_id, sale_id))


@router.post(
    "/point-sales/{sale_id}/refund",
    summary="Take bought points back",
    responses=problems(NoSuchSale, NothingPublished, NotRefundable),
)
def refund_point_sale(
    caller: PointsSeller, sale_id: SaleId, body: RefundIn, sales: SalesOf, response: Response
) -> PointSaleOut:
    """What is left of them goes, and `money_back` says what is due for it. Again, it changes nothing."""
    done = sales.refund(caller.program_id, sale_id, By(caller.actor, body.reason), _now())
    if done.replayed:
        response.headers[REPLAYED] = "true"
    return PointSaleOut.of(done.row, done)


def _now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)
