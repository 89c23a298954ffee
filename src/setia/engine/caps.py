"""Caps of point types as limits that all campaigns share which can earn them."""

from __future__ import annotations

from setia.program.campaigns import Campaign
from setia.program.definition import Program
from setia.program.limits import Limit, PointAmount

KeyedLimits = tuple[tuple[str, Limit], ...]


def caps_by_points(definition: Program) -> dict[str, KeyedLimits]:
    """Point type -> its caps with their keys. No campaign can be called as they are."""
    return {
        name: tuple(
            (
                f"@{name}#{place}",
                Limit(every=cap.every, earn=PointAmount(amount=cap.points, points=name), crossing=cap.crossing),
            )
            for place, cap in enumerate(point_type.caps)
        )
        for name, point_type in definition.points.items()
        if point_type.caps
    }


def limits_of(name: str, campaign: Campaign, caps: dict[str, KeyedLimits]) -> KeyedLimits:
    """The limits of one campaign with their keys, and the caps of all points that it can give."""
    own = tuple((f"{name}#{place}", limit) for place, limit in enumerate(campaign.limits))
    if not caps:
        return own
    given = set(campaign.earn)
    if campaign.multiply is not None:
        given |= set(campaign.multiply.points or caps)
    return (*own, *(limit for points, capped in caps.items() if points in given for limit in capped))
