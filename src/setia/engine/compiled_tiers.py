"""Tier sets made ready: what is measured, and each level's criteria in whole numbers."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from setia.program.tiers import Criterion, Level, TierSet
from setia.program.validity import Validity
from setia.program.windows import Window


@dataclass(frozen=True, slots=True)
class Measure:
    """A metric in a window. `key` names its sums among the counters."""

    key: str
    metric: str
    window: Window
    digits: int
    """Decimals of its smallest unit: those of the currency for `spend`, of the point type for points, else none."""
    points: str
    """The point type that is counted; empty where none is."""
    of_balance: bool
    window_text: str
    """The window as its author wrote it."""


@dataclass(frozen=True, slots=True)
class CompiledCriterion:
    """A measure with what it must come to, in its smallest unit."""

    measure: Measure
    threshold: int
    keep_threshold: int


@dataclass(frozen=True, slots=True)
class CompiledLevel:
    """A level with its criteria; without any it is everybody's."""

    id: str
    criteria: tuple[CompiledCriterion, ...]
    any_of: bool
    """Whether one of the criteria is enough."""


@dataclass(frozen=True, slots=True)
class CompiledTierSet:
    """A tier set with its levels from the lowest to the highest."""

    definition: TierSet
    id: str
    levels: tuple[CompiledLevel, ...]
    places: dict[str, int]
    """Level -> its place on the ladder."""
    measures: tuple[Measure, ...]
    period_keys: tuple[str, ...]
    """The measures that begin anew with each period."""
    validity: Validity
    is_current: bool
    """Whether the level follows its metrics down as well as up, at once."""
    by_balance: bool
    """Whether any criterion is about points held."""

    def is_lost(self, level: str | None) -> bool:
        """Whether somebody holds a level that the tier set no longer has."""
        return level is not None and level not in self.places

    def index(self, level: str | None) -> int:
        """The place of a level on the ladder; a level that is no longer defined counts as the first."""
        return 0 if level is None else self.places.get(level, 0)


def compile_tier_set(tier_set: TierSet, currency_digits: int, point_digits: dict[str, int]) -> CompiledTierSet:
    """Make a tier set ready; `point_digits` are the decimals of the point types."""
    measures: dict[tuple[str, Window], Measure] = {}
    for metric, window in tier_set.measured:
        key = _key(tier_set, metric, window)
        measures[metric, window] = compile_measure(key, metric, window, currency_digits, point_digits)
    levels = tuple(_compile_level(tier_set, level, measures) for level in tier_set.levels)
    validity = tier_set.held_for
    return CompiledTierSet(
        definition=tier_set,
        id=tier_set.id,
        levels=levels,
        places={level.id: place for place, level in enumerate(levels)},
        measures=tuple(measures.values()),
        period_keys=tuple(measure.key for measure in measures.values() if measure.window.kind == "period"),
        validity=validity,
        is_current=validity.kind == "current" and tier_set.downgrade != "never",
        by_balance=any(measure.of_balance for measure in measures.values()),
    )


def compile_measure(
    key: str, metric: str, window: Window, currency_digits: int, point_digits: dict[str, int]
) -> Measure:
    """Make a metric in a window ready."""
    points = metric.split(".")[1] if metric.startswith("points.") else ""
    digits = currency_digits if metric == "spend" else point_digits[points] if points else 0
    return Measure(
        key, metric, window, digits, points, metric.endswith(".balance"), str(window.model_dump(mode="json"))
    )


def _key(tier_set: TierSet, metric: str, window: Window) -> str:
    if window.kind == "period":
        return f"{metric}|period|{tier_set.id}"  # the period is that of one tier set; other windows are shared
    return window_key(metric, window)


def window_key(metric: str, window: Window) -> str:
    """The name of a metric in a window among the counters; whoever asks for the same shares one sum."""
    text = window.model_dump_json() if window.kind == "fixed" else str(window.model_dump())
    return f"{metric}|{text}"


def _compile_level(tier_set: TierSet, level: Level, measures: dict[tuple[str, Window], Measure]) -> CompiledLevel:
    criteria: list[Criterion] = list(level.criteria)
    if level.from_ and tier_set.metric is not None:
        criteria = [
            Criterion(
                metric=tier_set.metric,
                window=tier_set.window,
                from_=level.from_,
                keep_from=level.keep_from,
            )
        ]
    return CompiledLevel(
        level.id,
        tuple(_compile_criterion(one, measures[one.metric, one.window]) for one in criteria),
        any_of=bool(level.any),
    )


def _compile_criterion(one: Criterion, measure: Measure) -> CompiledCriterion:
    kept = one.from_ if one.keep_from is None else one.keep_from
    return CompiledCriterion(measure, _threshold(one.from_, measure.digits), _threshold(kept, measure.digits))


def _threshold(value: Decimal, digits: int) -> int:
    """In the smallest unit; a fraction of it can only be reached by the next whole one."""
    numerator, denominator = value.as_integer_ratio()
    return -(-numerator * int(10**digits) // denominator)
