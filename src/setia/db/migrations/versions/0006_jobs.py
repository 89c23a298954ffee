"""The tables of Procrastinate, which runs the jobs, in a schema of their own.

Revision: 0006
Follows: 0004
"""

from importlib.resources import files

from alembic import op

from setia.db.engine import driver_connection

revision = "0006"
down_revision = "0004"
branch_labels = None
depends_on = None

# The package's own migrations and not its `schema.sql`: a later version of the package changes that file, and never
# these. So an installation of today and one of next year have the same tables, and the next revision begins here.
LAST = "03.04.00_50_post_add_retry_failed_job_procedure.sql"

# The functions name their tables without the schema. With the path fixed they work for every caller, whatever it has
# set: a job can be deferred in the transaction that needs it.
_FIX_PATHS = """
DO $$
DECLARE
    one regprocedure;
BEGIN
    FOR one IN SELECT oid FROM pg_proc WHERE pronamespace = 'procrastinate'::regnamespace LOOP
        EXECUTE format('ALTER FUNCTION %s SET search_path = procrastinate, pg_temp', one);
    END LOOP;
END;
$$
"""


def upgrade() -> None:
    connection = driver_connection(op.get_bind())
    connection.execute("SET LOCAL lock_timeout = '5s'")
    connection.execute("CREATE SCHEMA procrastinate")
    [(path,)] = connection.execute("SELECT current_setting('search_path')").fetchall()
    connection.execute("SET LOCAL search_path = procrastinate")
    scripts = (script for script in files("procrastinate.sql.migrations").iterdir() if script.name.endswith(".sql"))
    for script in sorted(scripts, key=lambda script: script.name):
        if script.name <= LAST:
            # The driver's connection: a percent sign in these scripts is one.
            connection.execute(script.read_bytes())
    connection.execute(_FIX_PATHS)
    connection.execute("SELECT set_config('search_path', %s, true)", (path,))


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.execute("DROP SCHEMA procrastinate CASCADE")
