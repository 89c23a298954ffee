"""Settings: environment variables that begin with `SETIA_`, checked once, when a process starts."""

import difflib
import os
import pwd
from collections.abc import Mapping
from ipaddress import ip_network
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict
from pydantic_settings.exceptions import SettingsError
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

PREFIX = "SETIA_"
SECRET_LENGTH = 32


def default_data_dir() -> Path:
    """Where data lies when nothing is said.

    Root is special: the embedded server must then run as another system user, and that user cannot pass through /root,
    which is closed to everybody else.
    """
    if os.geteuid() == 0:
        return Path("/var/lib/setia")
    given = os.environ.get("XDG_DATA_HOME", "")  # noqa: TID251 - this module is where the environment comes in
    if Path(given).is_absolute():
        return Path(given) / "setia"
    try:
        return Path.home() / ".local" / "share" / "setia"
    except RuntimeError:
        return Path(pwd.getpwuid(os.geteuid()).pw_dir) / ".local" / "share" / "setia"


class Settings(BaseSettings):
    """Everything an operator can set. Each field is `SETIA_` and its name in capitals."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, env_ignore_empty=True, extra="forbid", frozen=True)

    database_url: SecretStr | None = Field(
        default=None,
        description="PostgreSQL 15 or later, as `postgresql://user:password@host:port/database`. "
        "Without it Setia runs a PostgreSQL of its own in the data folder.",
    )
    data_dir: Path = Field(
        default_factory=default_data_dir,
        description="Folder for the embedded database and for generated secrets.",
    )
    secret_key: SecretStr | None = Field(
        default=None,
        description="At least 32 characters that sign sessions and hash codes. "
        "Without it one is made and kept in the data folder; processes that share a database must share it.",
    )
    host: str = Field(default="127.0.0.1", min_length=1, description="Address on which the server listens.")
    port: int = Field(default=8000, ge=1, le=65535, description="Port on which the server listens.")
    workers: int = Field(default=1, ge=1, le=256, description="Number of server processes.")
    jobs: bool = Field(
        default=True,
        description="Whether the server processes run jobs, a thread in each. With `false`, run `setia worker`.",
    )
    public_url: str | None = Field(
        default=None,
        pattern=r"^https?://[^/\s]+$",
        description="How people reach this server, as `https://loyalty.example.com`; used in links and QR codes.",
    )
    partner_networks: str | None = Field(
        default=None,
        description="Networks such as `10.1.0.0/16, ::1/128` in which partners' webhooks may be beside the public "
        "internet, by http too; for tests, and partners in your own house.",
    )
    max_body_bytes: int = Field(
        default=5 * 1024 * 1024, ge=1024, description="Longest request body; a longer one is answered with 413."
    )
    log_format: Literal["console", "json"] = Field(
        default="console", description="`console` for people, `json` for machines."
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        default="info", description="Least level that is logged."
    )
    access_log: bool = Field(default=True, description="Whether each request is logged; metrics count them either way.")
    rate_limit: int = Field(
        default=5_000,
        ge=0,
        description="Requests a second that each API key may send to one process; 0 means no limit.",
    )
    pool_size: int = Field(default=10, ge=1, le=1000, description="Database connections each process keeps open.")
    pool_overflow: int = Field(
        default=10, ge=0, le=1000, description="Further connections under load, closed after use."
    )
    lock_timeout_ms: int = Field(default=5_000, ge=1, description="Longest wait for a lock in the database.")
    statement_timeout_ms: int = Field(default=30_000, ge=1, description="Longest run of one statement in the database.")

    @field_validator("database_url")
    @classmethod
    def _a_postgresql_url(cls, value: SecretStr | None) -> SecretStr | None:
        if value is None:
            return None
        try:
            scheme = make_url(value.get_secret_value()).drivername
        except (ArgumentError, ValueError):
            scheme = ""
        if scheme not in {"postgres", "postgresql"}:
            raise ValueError("must be a URL that begins with postgresql://")
        return SecretStr(value.get_secret_value().replace("postgres://", "postgresql://", 1))

    @field_validator("partner_networks")
    @classmethod
    def _networks(cls, value: str | None) -> str | None:
        for part in (value or "").split(","):
            try:
                ip_network(part.strip() or "::1")
            except ValueError:
                raise ValueError("must be networks with commas between them, as 10.1.0.0/16, ::1/128") from None
        return value

    @field_validator("secret_key")
    @classmethod
    def _long_enough(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None and len(value.get_secret_value()) < SECRET_LENGTH:
            raise ValueError(f"must have at least {SECRET_LENGTH} characters")
        return value

    @field_validator("data_dir")
    @classmethod
    def _absolute(cls, value: Path) -> Path:
        # A relative folder would mean another database after every `cd`.
        if not value.expanduser().is_absolute():
            raise ValueError("must be an absolute path")
        return value.expanduser()


class InvalidSettings(Exception):  # noqa: N818 - reads as what it is
    """One or more settings are wrong. Each line names the variable, what is wrong, and what to do."""

    def __init__(self, faults: list[str]) -> None:
        super().__init__("\n".join(faults))
        self.faults = faults


def load_settings(**overrides: Any) -> Settings:
    """Read the environment; raise `InvalidSettings` with every fault at once. `overrides` win, for the command line."""
    faults = _unknown_variables(os.environ)  # noqa: TID251 - this module is where the environment comes in
    try:
        settings = Settings(**overrides)
    except ValidationError as error:
        # Values stay out of the message: a mistyped URL may hold a password.
        for fault in error.errors(include_url=False, include_input=False, include_context=False):
            faults.append(_fault(str(fault["loc"][0]), fault["msg"].removeprefix("Value error, ")))
    except SettingsError as error:
        faults.append(f"{error}. See docs/reference/settings.md.")
    else:
        if not faults:
            return settings
    raise InvalidSettings(faults)


def no_color() -> bool:
    """Whether the person wants no colours (no-color.org): the variable is there and not empty."""
    return bool(os.environ.get("NO_COLOR"))  # noqa: TID251 - this module is where the environment comes in


def variable(field: str) -> str:
    """The environment variable of a field."""
    return f"{PREFIX}{field.upper()}"


def _fault(field: str, message: str) -> str:
    sentence = f"{message[:1].lower()}{message[1:]}".rstrip(".")
    meaning = Settings.model_fields[field].description if field in Settings.model_fields else None
    return f"{variable(field)}: {sentence}." + (f" It is: {meaning}" if meaning else "")


def _unknown_variables(environment: Mapping[str, str]) -> list[str]:
    """Refuse a variable nobody reads: with `SETIA_DATABSE_URL` the points would silently go to another database."""
    known = {variable(field) for field in Settings.model_fields}
    faults = []
    for name in sorted(environment):
        if name.startswith(PREFIX) and name not in known and not name.startswith("SETIA_TEST_"):
            near = difflib.get_close_matches(name, known, n=1)
            advice = (
                f"Did you mean {near[0]}?" if near else "Remove it; docs/reference/settings.md lists all there are."
            )
            faults.append(f"{name}: there is no such setting. {advice}")
    return faults
