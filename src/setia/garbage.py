"""How often Python looks for reference cycles, in processes that live long."""

import gc


def look_seldom() -> None:
    """Look for reference cycles seldom; to be called when a process has loaded what it works with.

    A decision makes some hundreds of objects that live for milliseconds and hold no cycles; by default Python would
    look through all young objects after every 700 of them, twice an event. A chunk of members that is settled makes
    ten thousands that live until its commit: a quarter of the time went into looking through them. A booking of 500
    events makes fifty thousand, and no cycles, of which a test makes sure: with a threshold below that they were all
    looked through for nothing. What was loaded at the start stays anyway.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(200_000, 20, 20)
