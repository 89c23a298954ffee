"""How long a gift card has to last by the law of a country. The sources stand in docs/reference/gift-card-law.md."""

from __future__ import annotations

from typing import Literal, NamedTuple

Kind = Literal["years", "for_ever", "none"]


class Law(NamedTuple):
    """The least a card lasts: so many `years`, `for_ever`, or `none` where no law says how long.

    `year_end`: it runs from the end of the year. `from_last_load`: money that is loaded lets it begin again.
    """

    kind: Kind
    years: int = 0
    year_end: bool = False
    from_last_load: bool = False


LAWS: dict[str, Law] = {
    "AT": Law("years", 30),
    "AU": Law("years", 3),
    "CA": Law("for_ever"),
    "DE": Law("years", 3, year_end=True),
    "FR": Law("none"),
    "GB": Law("none"),
    "IE": Law("years", 5),
    "US": Law("years", 5, from_last_load=True),
}
"""Country (ISO 3166-1 alpha-2) -> its law. Where regions differ, the strictest. What is not here is to be looked up."""
