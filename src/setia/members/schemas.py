"""Members as the API shows and takes them."""

import datetime as dt
from typing import Annotated, Any

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints

from setia.api.values import PlainText, Reason, plain
from setia.db.ids import format_id
from setia.members.identifiers import MEMBER_PREFIX, MOST_VALUES
from setia.members.member import Member, Status
from setia.program.names import Identifier, Locale
from setia.program.referrals import FingerprintKind

MEMBER_EXAMPLE = "mem_01989f2e5c0070008000000000000001"

IdentifierText = Annotated[str, StringConstraints(max_length=300), AfterValidator(plain)]
OneOrMore = IdentifierText | Annotated[list[IdentifierText], Field(min_length=1, max_length=MOST_VALUES)]
Tags = Annotated[list[Identifier], Field(max_length=100)]


FingerprintText = Annotated[str, StringConstraints(min_length=1, max_length=500), AfterValidator(plain)]
Fingerprints = dict[
    FingerprintKind, FingerprintText | Annotated[list[FingerprintText], Field(min_length=1, max_length=MOST_VALUES)]
]


def lists_of(fingerprints: Fingerprints) -> dict[str, list[str]]:
    """Fingerprints by kind, each as a list."""
    return {kind: [found] if isinstance(found, str) else found for kind, found in fingerprints.items()}


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Identifiers(_Strict):
    """What a member is known by: of each kind one value, or a list of them."""

    external_id: OneOrMore | None = None
    card: OneOrMore | None = None
    phone: OneOrMore | None = None
    email: OneOrMore | None = None

    def given(self) -> dict[str, str | list[str]]:
        """Those that were sent."""
        return {kind: value for kind, value in self if value is not None}


class EnrolmentIn(_Strict):
    """A member to enrol."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "identifiers": {"external_id": "customer-17", "card": "4711 0815", "email": "Ada@Example.com"},
                    "locale": "en",
                }
            ]
        }
    )

    identifiers: Identifiers
    attributes: dict[PlainText, Any] = Field(
        default={}, max_length=200, description="As the program's `members.attributes` says."
    )
    tags: Tags = []
    locale: Locale | None = Field(default=None, description="The member's language, as `en` or `pt-BR`.")
    enrolled_at: AwareDatetime | None = Field(default=None, description="When it was in the past; not in the future.")
    referral_code: PlainText | None = Field(
        default=None, max_length=100, description="The code of the member who has referred this one."
    )
    fingerprints: Fingerprints | None = Field(
        default=None,
        description="What a referrer may not have in common with it. Only keyed hashes are kept.",
    )


class MemberPatch(_Strict):
    """What to change. What is left out stays; an attribute that is null is removed."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"tags": ["regular"], "locale": "de"}]})

    attributes: dict[PlainText, Any] = Field(default={}, max_length=200)
    tags: Tags = Field(default=[], description="All tags, in place of those before.")
    locale: Locale | None = None


class StatusReason(_Strict):
    """Why a member is suspended, reactivated or closed."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"reason": "Asked for by the member."}]})

    reason: Reason


class MemberOut(BaseModel):
    """A member."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "id": MEMBER_EXAMPLE,
                    "status": "active",
                    "identifiers": {"card": ["47110815"], "email": ["ada@example.com"], "external_id": ["customer-17"]},
                    "attributes": {},
                    "tags": [],
                    "locale": "en",
                    "enrolled_at": "2026-03-01T09:00:00Z",
                    "created_at": "2026-03-01T09:00:00Z",
                    "updated_at": "2026-03-01T09:00:00Z",
                }
            ]
        }
    )

    id: str
    status: Status
    identifiers: dict[str, list[str]] = Field(description="In their one form, per kind.")
    attributes: dict[str, Any]
    tags: list[str]
    locale: str | None
    enrolled_at: dt.datetime
    created_at: dt.datetime
    updated_at: dt.datetime

    @classmethod
    def of(cls, member: Member) -> "MemberOut":
        """Show a member."""
        return cls(
            id=format_id(MEMBER_PREFIX, member.id),
            status=member.status,
            identifiers=member.identifiers,
            attributes=member.attributes,
            tags=list(member.tags),
            locale=member.locale,
            enrolled_at=member.enrolled_at,
            created_at=member.created_at,
            updated_at=member.updated_at,
        )
