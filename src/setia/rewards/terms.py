"""The terms of what was redeemed: what the reward said when somebody paid for it."""

from __future__ import annotations

from setia.events.live import LiveProgram


def terms_of(live: LiveProgram, version: int) -> LiveProgram:
    """The version under which something was redeemed, whatever was published since.

    Who has paid gets what was promised then: a reward that is cheaper, worth less or gone today must not change, or
    take, what a hold, a code or an entitlement is good for. Its clock is not the program's: ask `live` for the time.
    """
    return live if version == live.compiled.version else live.version(version)
