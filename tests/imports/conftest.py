"""A shop to import into, and what the tests of imports share."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from psycopg import sql

from import_world import Shop
from setia.db.embedded import EmbeddedServer
from setia.db.engine import Database, Limits

DATA = Path(__file__).parents[3] / "shared" / "data"


@pytest.fixture
def shop(database: Database, tmp_path: Path) -> Shop:
    """A program that enrols strangers and gives a point for each whole euro."""
    return Shop.open(database, tmp_path)


@pytest.fixture(scope="module")
def module_database_url(
    shared_server: EmbeddedServer, server_url: str, template: str, worker_name: str, _clones: Iterator[int]
) -> Iterator[str]:
    """A database for all tests of a module: an import of real data is done once and asked about many times."""
    name = f"module_{worker_name}_{next(_clones)}"
    with psycopg.connect(server_url, autocommit=True) as connection:
        connection.execute(
            sql.SQL("CREATE DATABASE {} TEMPLATE {} STRATEGY file_copy").format(
                sql.Identifier(name), sql.Identifier(template)
            )
        )
    yield shared_server.url(name)
    with psycopg.connect(server_url, autocommit=True) as connection:
        connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


@pytest.fixture(scope="module")
def module_database(module_database_url: str) -> Iterator[Database]:
    """The same, opened."""
    with Database(module_database_url, limits=Limits(pool_size=2, max_overflow=5), role="test") as opened:
        yield opened


@pytest.fixture(scope="session")
def real_data() -> Path:
    """Where the real purchase files lie, beside the checkout."""
    if not DATA.is_dir():
        pytest.skip(
            "THE REAL PURCHASE DATA IS NOT HERE: ../shared/data beside the checkout. Nothing was proven with it."
        )
    return DATA
