"""The demo's own database: made anew, beside everything else, and one demo at a time."""

import os
import shutil
import stat
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from setia.demo.house import DemoRunning, demo_folder, fresh_database
from setia.settings import Settings

pytestmark = pytest.mark.slow


@pytest.fixture
def settings() -> Iterator[Settings]:
    """A data folder that the server's user may reach; pytest's own are closed to it."""
    made = Path(tempfile.mkdtemp(prefix="setia-house-"))
    made.chmod(0o711 if os.geteuid() == 0 else 0o700)
    yield Settings(data_dir=made / "data", database_url="postgresql://nobody@127.0.0.1:1/real")
    shutil.rmtree(made)


def test_each_demo_begins_with_nothing_and_alone(settings: Settings) -> None:
    with fresh_database(settings) as database:
        with database.transaction() as tx:
            tx.exec_driver_sql("INSERT INTO program (key) VALUES ('left-over')")
        with pytest.raises(DemoRunning, match="Stop it first"), fresh_database(settings):
            pass
        with database.transaction() as tx:
            assert tx.exec_driver_sql("SELECT key FROM program").scalar_one() == "left-over", "the running one goes on"

    with fresh_database(settings) as database, database.transaction() as tx:
        assert tx.exec_driver_sql("SELECT count(*) FROM program").scalar_one() == 0
        assert database.url.host is None, "not the server of SETIA_DATABASE_URL"

    assert demo_folder(settings) == settings.data_dir / "demo"
    assert [path.name for path in settings.data_dir.iterdir()] == ["demo"], "nothing beside it"
    for folder in (settings.data_dir, demo_folder(settings)):
        assert stat.S_IMODE(folder.stat().st_mode) == (0o711 if os.geteuid() == 0 else 0o700)
