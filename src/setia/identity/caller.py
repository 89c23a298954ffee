"""The caller of an endpoint: its signature says who may call it, as in `def get_member(caller: MembersReader)`."""

from dataclasses import dataclass
from typing import Annotated
from uuid import UUID

from fastapi import Depends, Request
from starlette.requests import HTTPConnection

from setia.api.edge import RATE_HEADERS
from setia.api.rate import RateLimit
from setia.identity.keyring import KeyRing
from setia.identity.scopes import Scope
from setia.problems import Forbidden


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks: a key of one program. Everything it reads or writes belongs to `program_id`."""

    program_id: int
    program_key: str
    mode: str
    key_id: UUID
    prefix: str
    scopes: frozenset[Scope]

    @property
    def actor(self) -> str:
        """How the ledger and the logs name the caller."""
        return f"key:{self.prefix}"


class MissingScope(Forbidden):
    """The key is good, and may not do this."""

    code = "missing_scope"
    title = "This API key lacks the scope for this"


async def authenticate(connection: HTTPConnection, scope: Scope) -> Caller:
    """Who asks, if they may do what `scope` names: 401, 403 or 429 otherwise. For typed and raw routes alike.

    The app's state holds `keyring` and `rate_limit`.
    """
    state = connection.app.state
    keyring: KeyRing = state.keyring
    rate_limit: RateLimit = state.rate_limit
    key = await keyring.check(_authorization(connection))
    headers = rate_limit.take(key.id)
    if headers:
        connection.scope[RATE_HEADERS] = headers
    if scope not in key.scopes:
        raise MissingScope(
            f"It needs the scope {scope}. Make a key with `setia key create --scope {scope}`.",
            extra={"scope": str(scope)},
        )
    return Caller(key.program_id, key.program_key, key.mode, key.id, key.prefix, key.scopes)


def _authorization(connection: HTTPConnection) -> str | None:
    # Starlette's mapping of the headers would be made for this one.
    for name, value in connection.scope["headers"]:
        if name == b"authorization":
            text: str = value.decode("latin-1")
            return text
    return None


@dataclass(frozen=True, slots=True)
class Needs:
    """The dependency behind a typed caller; tests and the OpenAPI document read its `scope`."""

    scope: Scope

    async def __call__(self, request: Request) -> Caller:
        """Find out who asks."""
        return await authenticate(request, self.scope)


EventsWriter = Annotated[Caller, Depends(Needs(Scope.EVENTS_WRITE))]
EventsReader = Annotated[Caller, Depends(Needs(Scope.EVENTS_READ))]
Calculator = Annotated[Caller, Depends(Needs(Scope.CALCULATE))]
MembersReader = Annotated[Caller, Depends(Needs(Scope.MEMBERS_READ))]
MembersWriter = Annotated[Caller, Depends(Needs(Scope.MEMBERS_WRITE))]
MembersMerger = Annotated[Caller, Depends(Needs(Scope.MEMBERS_MERGE))]
PointsAdjuster = Annotated[Caller, Depends(Needs(Scope.POINTS_ADJUST))]
PointsMover = Annotated[Caller, Depends(Needs(Scope.POINTS_TRANSFER))]
RewardsReader = Annotated[Caller, Depends(Needs(Scope.REWARDS_READ))]
Redeemer = Annotated[Caller, Depends(Needs(Scope.REWARDS_REDEEM))]
RaffleDrawer = Annotated[Caller, Depends(Needs(Scope.REWARDS_DRAW))]
CodeRedeemer = Annotated[Caller, Depends(Needs(Scope.CODES_REDEEM))]
CodesWriter = Annotated[Caller, Depends(Needs(Scope.CODES_WRITE))]
GiftCardsReader = Annotated[Caller, Depends(Needs(Scope.GIFT_CARDS_READ))]
GiftCardsWriter = Annotated[Caller, Depends(Needs(Scope.GIFT_CARDS_WRITE))]
GiftCardRedeemer = Annotated[Caller, Depends(Needs(Scope.GIFT_CARDS_REDEEM))]
RewardLinksReader = Annotated[Caller, Depends(Needs(Scope.REWARD_LINKS_READ))]
RewardLinksWriter = Annotated[Caller, Depends(Needs(Scope.REWARD_LINKS_WRITE))]
ReferralsReader = Annotated[Caller, Depends(Needs(Scope.REFERRALS_READ))]
ReferralsWriter = Annotated[Caller, Depends(Needs(Scope.REFERRALS_WRITE))]
PointsSeller = Annotated[Caller, Depends(Needs(Scope.POINTS_SELL))]
ReviewDecider = Annotated[Caller, Depends(Needs(Scope.REVIEWS_DECIDE))]
ProgramReader = Annotated[Caller, Depends(Needs(Scope.PROGRAM_READ))]
ProgramWriter = Annotated[Caller, Depends(Needs(Scope.PROGRAM_WRITE))]
