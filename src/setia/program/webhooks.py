"""Where a partner is told that it has something to deliver."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import Field, StringConstraints, field_validator

from setia.program.names import Identifier, Part

_ADDRESS = re.compile(
    r"https?://(?P<login>[^/?#@]*@)?([a-z0-9]([a-z0-9.-]*[a-z0-9])?|\[[0-9a-f:.]+\])"
    r"(:0*(?P<port>[1-9][0-9]{0,4}))?([/?][^#]*)?(?P<mark>#.*)?",
    re.IGNORECASE,
)
_LAST_PORT = 65_535
_EXAMPLE = "https://api.partner.example/orders"


class Webhook(Part):
    """The address that gets a signed message for each redemption. Its secret is no part of the definition."""

    url: Annotated[str, StringConstraints(max_length=1000, pattern=r"^[!-~]+$")]
    key: Annotated[int, Field(ge=1, le=1_000_000)] = 1
    """Which of the partner's keys signs. Raise it by one to change the key: messages then carry both signatures."""
    data: Annotated[
        dict[Identifier, Annotated[str, StringConstraints(min_length=1, max_length=500)]], Field(max_length=20)
    ] = Field(default_factory=dict)
    """What the partner wants to read in each message, as its own number of the article."""

    @field_validator("url")
    @classmethod
    def _an_address(cls, value: str) -> str:
        found = _ADDRESS.fullmatch(value)
        if found is None or int(found["port"] or 1) > _LAST_PORT:
            message = f"{value!r} is no address of a web server; write {_EXAMPLE}"
            raise ValueError(message)
        if found["login"] or found["mark"]:
            message = "an address with a password or a `#` is not kept here; remove it: messages are signed instead"
            raise ValueError(message)
        return value

    @property
    def is_secret(self) -> bool:
        """Whether nobody on the way can read it."""
        return self.url.lower().startswith("https:")
