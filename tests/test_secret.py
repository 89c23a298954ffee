"""The secret of an installation: given, or made once and closed to others."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from setia.secret import FILE, load_secret_key
from setia.settings import InvalidSettings, load_settings


def test_a_given_secret_is_used(tmp_path: Path) -> None:
    settings = load_settings(data_dir=tmp_path, secret_key="s" * 32)
    assert load_secret_key(settings) == b"s" * 32
    assert list(tmp_path.iterdir()) == []


def test_a_missing_secret_is_made_once(tmp_path: Path) -> None:
    settings = load_settings(data_dir=tmp_path / "new")
    made = load_secret_key(settings)
    assert len(made) == 64
    assert load_secret_key(settings) == made
    assert (tmp_path / "new" / FILE).stat().st_mode & 0o777 == 0o600


def test_many_at_once_get_the_same_secret(tmp_path: Path) -> None:
    settings = load_settings(data_dir=tmp_path)
    with ThreadPoolExecutor(16) as pool:
        assert len(set(pool.map(lambda _: load_secret_key(settings), range(64)))) == 1
    assert [path.name for path in tmp_path.iterdir()] == [FILE]


def test_with_a_database_of_ones_own_the_secret_must_be_given(tmp_path: Path) -> None:
    settings = load_settings(data_dir=tmp_path, database_url="postgresql://db/x")
    with pytest.raises(InvalidSettings, match="SETIA_SECRET_KEY: must be set together with SETIA_DATABASE_URL"):
        load_secret_key(settings)
    assert list(tmp_path.iterdir()) == []
