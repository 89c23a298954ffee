"""Settings: read from the environment, refused with a sentence, and documented."""

import os
import re
from pathlib import Path

import pytest
from pydantic_settings.exceptions import SettingsError

from setia import settings as module
from setia.settings import InvalidSettings, Settings, default_data_dir, load_settings, no_color, variable

PAGE = Path(__file__).parent.parent / "docs" / "reference" / "settings.md"


def test_nothing_has_to_be_set() -> None:
    settings = load_settings()
    assert settings.database_url is None
    assert settings.max_body_bytes == 5 * 1024 * 1024
    assert (settings.host, settings.port, settings.workers) == ("127.0.0.1", 8000, 1)


def test_the_environment_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SETIA_DATABASE_URL", "postgres://a:b@c/d")
    monkeypatch.setenv("SETIA_PORT", "9000")
    monkeypatch.setenv("SETIA_DATA_DIR", "~/setia")
    settings = load_settings()
    assert settings.database_url is not None
    assert settings.database_url.get_secret_value() == "postgresql://a:b@c/d"
    assert settings.port == 9000
    assert settings.data_dir == Path.home() / "setia"


def test_the_command_line_wins(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SETIA_PORT", "9000")
    assert load_settings(port=9001).port == 9001


@pytest.mark.parametrize(
    ("name", "value", "fault"),
    [
        ("SETIA_PORT", "99999", "SETIA_PORT: input should be less than or equal to 65535. It is: Port on which"),
        ("SETIA_PORT", "http", "SETIA_PORT: input should be a valid integer"),
        ("SETIA_LOG_FORMAT", "xml", "SETIA_LOG_FORMAT: input should be 'console' or 'json'. It is: "),
        ("SETIA_DATA_DIR", "data", "SETIA_DATA_DIR: must be an absolute path. It is: Folder for"),
        (
            "SETIA_DATABASE_URL",
            "mysql://root:hunter2@db/x",
            "SETIA_DATABASE_URL: must be a URL that begins with postgresql://",
        ),
        (
            "SETIA_DATABASE_URL",
            "host=db password=hunter2",
            "SETIA_DATABASE_URL: must be a URL that begins with postgresql://",
        ),
        ("SETIA_SECRET_KEY", "hunter2", "SETIA_SECRET_KEY: must have at least 32 characters. It is: At least"),
        ("SETIA_PARTNER_NETWORKS", "10.0.0.1/8", "SETIA_PARTNER_NETWORKS: must be networks with commas"),
        ("SETIA_PUBLIC_URL", "loyalty.example", "SETIA_PUBLIC_URL: string should match pattern"),
        (
            "SETIA_DATABSE_URL",
            "postgresql://hunter2",
            "SETIA_DATABSE_URL: there is no such setting. Did you mean SETIA_DATABASE_URL?",
        ),
        (
            "SETIA_XYZZY",
            "hunter2",
            "SETIA_XYZZY: there is no such setting. Remove it; docs/reference/settings.md lists all",
        ),
    ],
)
def test_a_wrong_value_is_refused_by_name_and_never_shown(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, fault: str
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(InvalidSettings) as caught:
        load_settings()
    assert len(caught.value.faults) == 1
    assert caught.value.faults[0].startswith(fault)
    assert "hunter2" not in str(caught.value)


def test_all_faults_are_told_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SETIA_PORT", "0")
    monkeypatch.setenv("SETIA_WORKERS", "0")
    monkeypatch.setenv("SETIA_WORKER", "1")
    with pytest.raises(InvalidSettings) as caught:
        load_settings()
    assert [fault.partition(":")[0] for fault in caught.value.faults] == ["SETIA_WORKER", "SETIA_PORT", "SETIA_WORKERS"]


def test_secrets_do_not_show_when_settings_are_printed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SETIA_DATABASE_URL", "postgresql://a:hunter2@c/d")
    monkeypatch.setenv("SETIA_SECRET_KEY", "hunter2" * 5)
    assert "hunter2" not in repr(load_settings())


def test_root_keeps_its_data_where_other_users_can_pass(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    assert default_data_dir() == Path("/var/lib/setia")


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("/elsewhere", "/elsewhere/setia"),
        ("", "/home/ada/.local/share/setia"),
        ("relative", "/home/ada/.local/share/setia"),
    ],
)
def test_others_keep_their_data_where_the_desktop_says(
    monkeypatch: pytest.MonkeyPatch, given: str, expected: str
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    monkeypatch.setenv("HOME", "/home/ada")
    monkeypatch.setenv("XDG_DATA_HOME", given)
    assert default_data_dir() == Path(expected)


@pytest.mark.parametrize(("value", "expected"), [("1", True), ("", False)])
def test_colours_can_be_refused(monkeypatch: pytest.MonkeyPatch, value: str, expected: bool) -> None:  # noqa: FBT001 - a parameter of the test
    monkeypatch.setenv("NO_COLOR", value)
    assert no_color() is expected


def test_every_setting_is_documented_as_it_is() -> None:
    documented = dict(
        re.findall(r"^\| `(SETIA_\w+)` \| .*? \| (.*) \|$", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    )
    declared = {variable(name): field.description for name, field in Settings.model_fields.items()}
    assert documented == declared


def test_every_documented_default_is_the_default() -> None:
    documented = dict(re.findall(r"^\| `(SETIA_\w+)` \| (.*?) \|", PAGE.read_text(encoding="utf-8"), re.MULTILINE))
    for name, field in Settings.model_fields.items():
        if field.default_factory is None:
            expected = "none" if field.default is None else f"`{field.default}`"
            assert documented[variable(name)] == expected, name


def test_a_settings_source_that_cannot_be_read_is_a_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    class Unreadable(Settings):
        def __init__(self, **_values: object) -> None:
            raise SettingsError("error parsing value")

    monkeypatch.setattr(module, "Settings", Unreadable)
    with pytest.raises(InvalidSettings, match="error parsing value"):
        load_settings()
