"""Members who bring others, through the service of referrals, and what became of that."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Mapping, Sequence
from uuid import UUID

import msgspec

from setia.demo.people import Person
from setia.members.enrolment import Introduction
from setia.members.member import NewMember
from setia.referrals.referral import Wish
from setia.referrals.service import Referrals

_ALL = 10**6


class ReferralFigures(msgspec.Struct, frozen=True):
    """The referrals of one kind: how many friends have joined, and where they are.

    `waiting` is for a first order, or for the end of the time in which it can come back. `reasons` says why others
    were voided or blocked; `points` is what both sides got, in smallest units.
    """

    joined: int = 0
    waiting: int = 0
    won: int = 0
    capped: int = 0
    void: int = 0
    blocked: int = 0
    reasons: dict[str, int] = {}
    points: dict[str, int] = {}


class Friends:
    """Gives members their codes, and friends their introduction."""

    def __init__(self, service: Referrals, program_id: int) -> None:
        self.service = service
        self._program_id = program_id
        self._codes: dict[UUID, str] = {}

    def hand_out(self, members: Sequence[UUID]) -> None:
        """Give codes to members who bring somebody now, where they have none."""
        missing = [member for member in members if member not in self._codes]
        if missing:
            self._codes |= self.service.make_codes(self._program_id, None, missing, dt.datetime.now(dt.UTC)).codes

    def introduce(self, person: Person, new: NewMember, referrer: UUID | None) -> Introduction:
        """What belongs to an enrolment, as `POST /v1/members` has it: the code, and the telephone."""
        code = None if referrer is None else self._codes[referrer]
        fingerprints = {} if person.device is None else {"device": [person.device]}
        return self.service.introduce(self._program_id, new, code=code, fingerprints=fingerprints)

    def figures(self, kinds: Sequence[str]) -> dict[str, ReferralFigures]:
        """What became of all of them, by kind."""
        return {kind: self._figures(kind) for kind in kinds}

    def _figures(self, kind: str) -> ReferralFigures:
        _, periods = self.service.funnel(self._program_id, "ever", kind, None, None)
        if not periods:
            return ReferralFigures()
        [all_of_them] = periods
        states: Mapping[str, int] = {state: group.count for state, group in all_of_them.states.items()}
        rows = self.service.list(self._program_id, Wish(referral=kind), before=None, most=_ALL)
        reasons = Counter(row.reason for row in rows if row.reason is not None)
        return ReferralFigures(
            joined=all_of_them.joined,
            waiting=states.get("joined", 0) + states.get("qualified", 0),
            won=states.get("won", 0),
            capped=states.get("capped", 0),
            void=states.get("void", 0),
            blocked=states.get("blocked", 0),
            reasons=dict(sorted(reasons.items())),
            points=dict(sorted(all_of_them.points.items())),
        )
