"""Programs and versions as the API shows and takes them."""

import datetime as dt
import json
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from setia.api.values import PlainText
from setia.versions.service import Published, Version

_DIGEST = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"


class VersionOut(BaseModel):
    """A published version."""

    number: int = Field(examples=[1])
    is_live: bool = Field(examples=[True])
    digest: str = Field(description="SHA-256 of the definition as it is stored, in hexadecimal.", examples=[_DIGEST])
    author: str = Field(description="Who published it.", examples=["key:8mZqPr2XbA"])
    note: str = Field(examples=["First version"])
    published_at: dt.datetime

    @classmethod
    def of(cls, version: Version) -> "VersionOut":
        """Show a version."""
        return cls(
            number=version.number,
            is_live=version.is_live,
            digest=version.digest.hex(),
            author=version.author,
            note=version.note,
            published_at=version.published_at,
        )


class DefinedVersionOut(VersionOut):
    """A published version with its definition."""

    definition: dict[str, Any] = Field(description="The whole definition, with its defaults written out.")

    @classmethod
    def with_definition(cls, version: Version, text: str) -> "DefinedVersionOut":
        """Show a version and what it says."""
        return cls(**VersionOut.of(version).model_dump(), definition=json.loads(text))


class FindingOut(BaseModel):
    """Something that was noticed and does not stop the publication."""

    code: str
    message: str
    hint: str
    pointer: str = Field(description="JSON pointer into the request.")


class PublishedOut(VersionOut):
    """What publishing did."""

    is_new: bool = Field(description="False when this definition was live already, and no version was made.")
    warnings: list[FindingOut]

    @classmethod
    def of_published(cls, published: Published, warnings: list[FindingOut]) -> "PublishedOut":
        """Show what publishing did."""
        return cls(**VersionOut.of(published.version).model_dump(), is_new=published.is_new, warnings=warnings)


class PublishIn(BaseModel):
    """A definition to publish."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {
                    "definition": {
                        "program": {"id": "coffee-stars", "name": "Coffee Stars", "currency": "EUR"},
                        "points": {"stars": {}},
                        "campaigns": {"base": {"on": "purchase", "earn": {"stars": "1 per 1.00"}}},
                    },
                    "note": "One star per euro",
                }
            ]
        },
    )

    definition: dict[str, Any] = Field(
        description="As a YAML definition, in JSON. `setia program schema` prints its JSON Schema."
    )
    note: PlainText = Field(default="", max_length=1000, description="What changed, and why.")
