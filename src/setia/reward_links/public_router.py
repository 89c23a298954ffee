"""`/v1/links`: what the recipient of a link sees and does, without a key: whoever has the link may."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated

from fastapi import APIRouter, Depends, Path, Request, Response

from setia.api.answers import MalformedJson, ValidationFailed
from setia.api.documented import OPEN, problems
from setia.api.idempotency import REPLAYED
from setia.api.languages import preferred
from setia.api.rate import RateLimit
from setia.api.strict import StrictRoute
from setia.members.points_router import LANGUAGES, AcceptLanguage, Locale
from setia.problems import TooManyRequests, Unavailable, UnsupportedMediaType
from setia.reward_links.problems import NoSuchRewardLink, RewardLinkChosen, RewardLinkOver, RewardNotOffered
from setia.reward_links.router import LinksOf
from setia.reward_links.schemas import TOKEN_EXAMPLE, ChooseIn, ChosenOut, OpenedOut
from setia.versions.service import NothingPublished

public_router = APIRouter(prefix="/v1/links", tags=["reward links"], route_class=StrictRoute)
PER_SECOND, WRONG_PER_SECOND = 10, 20
_BASE = (*OPEN, UnsupportedMediaType, MalformedJson, ValidationFailed, TooManyRequests, Unavailable, NothingPublished)

Token = Annotated[str, Path(min_length=1, max_length=100, description="The link's token.", examples=[TOKEN_EXAMPLE])]


class Door:
    """Lets each address ask so often, and all together be wrong so often, in this process.

    A token has 100 bits, so nobody finds one by trying; this keeps who tries from costing much.
    """

    def __init__(self) -> None:
        self._asked, self._wrong = RateLimit(PER_SECOND), RateLimit(WRONG_PER_SECOND)

    @contextmanager
    def passing(self, address: str) -> Iterator[None]:
        """Pass, or raise `TooManyRequests`."""
        try:
            self._asked.take(address)
        except TooManyRequests:
            raise TooManyRequests(f"An address may ask {PER_SECOND} times a second.") from None
        try:
            yield
        except NoSuchRewardLink:
            try:
                self._wrong.take("all")
            except TooManyRequests:
                raise TooManyRequests("Too many wrong links are asked for.") from None
            raise


async def _door(request: Request) -> Door:
    found: Door = request.app.state.link_door
    return found


async def _address(request: Request) -> str:
    return "" if request.client is None else request.client.host


DoorOf = Annotated[Door, Depends(_door)]
Address = Annotated[str, Depends(_address)]


@public_router.get("/{token}", summary="Open a reward link", responses=problems(NoSuchRewardLink, base=_BASE))
def open_link(
    token: Token,
    reward_links: LinksOf,
    door: DoorOf,
    address: Address,
    locale: Locale = None,
    accept_language: AcceptLanguage = None,
) -> OpenedOut:
    """What it is worth, among what can be chosen, and until when. The first look is counted."""
    with door.passing(address):
        offered = reward_links.open(token)
    language = preferred(locale or accept_language, LANGUAGES, offered.definition.program.locale)
    return OpenedOut.of(offered, language)


@public_router.post(
    "/{token}/choose",
    summary="Choose the reward of a link",
    responses=problems(NoSuchRewardLink, RewardLinkOver, RewardLinkChosen, RewardNotOffered, base=_BASE),
)
def choose_reward(
    token: Token, body: ChooseIn, reward_links: LinksOf, door: DoorOf, address: Address, response: Response
) -> ChosenOut:
    """Once. The same choice again gives the same answer, its code for a day and until it is used."""
    with door.passing(address):
        chosen, _ = reward_links.choose(token, body.reward)
    if chosen.replayed:
        response.headers[REPLAYED] = "true"
    link = chosen.link
    return ChosenOut(
        reward=body.reward, amount=link.amount, currency=link.currency, chosen_at=link.chosen_at, code=chosen.code
    )
