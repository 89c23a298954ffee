"""What a return does to the offers that its order counted for."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from setia.engine.decision import OfferChange, Outcome
from setia.engine.state import Counters, OfferState


def taken_back(
    counters: Counters, before: Counters, outcomes: Sequence[Outcome], again: Outcome | None
) -> list[OfferChange]:
    """The changes of offers: each instance moves by what the order adds less, from where it stands by now.

    `before` are the counters that the order found, `outcomes` its own and those of its returns, `again` what it comes
    to without what came back (None: nothing is left). Of such a change `added` is how far the progress moves, back or,
    where a completion is taken back, forth; `completed` is below 0 then. What later orders completed stays completed:
    where they needed what came back, the progress is below nothing, and the next orders make up for it first.
    """
    instead = {} if again is None else {change.instance: change for change in again.offers}
    changes = []
    for first in outcomes[0].offers:
        state = counters.offers.get(first.instance)
        if state is None:
            continue  # it ended so long ago that nothing can count for it any more
        stood = before.offers.get(first.instance, OfferState(first.state.campaign))
        left = instead.get(first.instance)
        kept = stood if left is None else left.state
        earlier = [change for one in outcomes[1:] for change in one.offers if change.instance == first.instance]
        added = kept.progress - first.state.progress - sum(change.added for change in earlier)
        completed = kept.completions - first.state.completions - sum(change.completed for change in earlier)
        after = msgspec.structs.replace(
            state,
            progress=state.progress + added,
            items=_items(state, first, kept, completed),
            completions=max(0, state.completions + completed),
        )
        if after.completions == stood.completions:
            after = msgspec.structs.replace(after, completed_at=stood.completed_at)
        if after != state:
            changes.append(OfferChange("counted", first.instance, after, first.target, added, completed))
    return changes


def _items(state: OfferState, first: OfferChange, kept: OfferState, completed: int) -> tuple[str, ...]:
    """The articles of a set that were bought, without those that only the order had brought."""
    if completed:
        return (*kept.items, *(sku for sku in state.items if sku not in kept.items))
    gone = {sku for sku in first.state.items if sku not in kept.items}
    return tuple(sku for sku in state.items if sku not in gone)
