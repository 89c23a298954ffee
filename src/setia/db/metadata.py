"""The one `MetaData` on which every domain declares its tables, and how constraints are named."""

import importlib
import importlib.util
import pkgutil

import sqlalchemy as sa

import setia

# Without fixed names a migration could not drop what an earlier one made, and errors could not be told apart by the
# constraint they broke.
NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}

metadata = sa.MetaData(naming_convention=NAMING)


def load_tables() -> sa.MetaData:
    """Import the `tables` module of every domain, so that `metadata` is complete; return it.

    By name and not by `import`, because the foundation must not know what stands on it. Migrations and the test that
    compares them with the tables need the whole; a running process needs only what it imports anyway.
    """
    for package in pkgutil.iter_modules(setia.__path__, "setia."):
        if package.ispkg and package.name != "setia.db":
            name = f"{package.name}.tables"
            if importlib.util.find_spec(name) is not None:
                importlib.import_module(name)
    return metadata
