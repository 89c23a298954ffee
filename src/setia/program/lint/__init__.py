"""Lint: everything that can be said about a program without running it, each finding with its place and a hint."""

from __future__ import annotations

from setia.program.definition import Program
from setia.program.findings import Finding, in_order
from setia.program.lint import (
    campaigns,
    coupons,
    discounts,
    events,
    gift_cards,
    groups,
    households,
    idle,
    moving,
    offers,
    points,
    referrals,
    reward_links,
    rewards,
    sales,
    sums,
    tiers,
    triggers,
    velocity,
)
from setia.program.lint.report import Report
from setia.program.yaml_text import Loaded

__all__ = ["compile_check", "lint"]


def lint(loaded: Loaded) -> list[Finding]:
    """Return all findings about a definition, sorted by place.

    Where it cannot be read as a program, those are the findings of reading; names and expressions are looked at once it
    can be.
    """
    if loaded.program is None:
        return in_order(loaded.findings)
    report = Report(loaded.program, loaded.sources)
    for part in (
        points,
        events,
        triggers,
        tiers,
        sums,
        campaigns,
        discounts,
        coupons,
        offers,
        groups,
        rewards,
        sales,
        moving,
        referrals,
        gift_cards,
        reward_links,
        velocity,
        households,
        idle,
    ):
        part.check(report)
    return in_order((*loaded.findings, *report.findings))


def compile_check(program: Program) -> list[Finding]:
    """Return the same findings about a program without text, such as a body of JSON: places are JSON pointers."""
    return lint(Loaded(program, None, None))
