"""What a member has done in the windows of a program's sums, as expressions read it."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

from setia.engine.compiled import CompiledProgram
from setia.engine.state import MemberState
from setia.engine.tiers import metric_value


def sums_of(program: CompiledProgram, state: MemberState, moment: dt.datetime) -> dict[str, int | Decimal]:
    """Name -> value in the window that holds the local day of `moment`: money and divided points as decimals."""
    day = moment.astimezone(program.zone).date()
    found: dict[str, int | Decimal] = {}
    for name, measure in program.sums.items():
        value = metric_value(program, measure, state.counters, {}, day, state.enrolled_at)
        is_whole = measure.metric != "spend" and not measure.digits
        found[name] = value if is_whole else Decimal(value).scaleb(-measure.digits)
    return found
