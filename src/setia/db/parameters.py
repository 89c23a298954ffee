"""How the embedded server is set: for two cores and a few gigabytes shared with Setia itself."""

from collections.abc import Mapping
from pathlib import Path

PARAMETERS: Mapping[str, str] = {
    "max_connections": "200",
    "shared_buffers": "256MB",
    "effective_cache_size": "1GB",
    "work_mem": "16MB",
    "maintenance_work_mem": "128MB",
    # A checkpoint writes whole pages to the log once more, so it is made rare; a crash then costs seconds of replay.
    "checkpoint_timeout": "15min",
    "max_wal_size": "4GB",
    # The wheel's PostgreSQL is built without LZ4, and pglz costs more time than it saves on a local disk.
    "wal_compression": "off",
    # `replica` is what `pg_basebackup` and archiving need; `minimal` would save nothing on our path.
    "wal_level": "replica",
    # An acknowledged event is on the disk. This is a promise and not a setting.
    "fsync": "on",
    "synchronous_commit": "on",
    "full_page_writes": "on",
    # Our statements are short; compiling one takes longer than running it.
    "jit": "off",
    "random_page_cost": "1.1",
    "io_workers": "2",
    "idle_in_transaction_session_timeout": "5min",
    "timezone": "UTC",
    "datestyle": "ISO, YMD",
    "default_text_search_config": "pg_catalog.simple",
    # Statements and details of errors hold personal data (`Key (email)=(...) already exists`); the log has neither.
    "log_timezone": "UTC",
    "log_line_prefix": "%m [%p] %a ",
    "log_error_verbosity": "terse",
    "log_min_error_statement": "panic",
    "log_checkpoints": "off",
}

# For tests, where a power cut may lose everything and time is short.
UNSAFE_PARAMETERS: Mapping[str, str] = {
    "fsync": "off",
    "full_page_writes": "off",
    "autovacuum": "off",
    "shared_buffers": "128MB",
    "max_connections": "200",
    "max_wal_size": "256MB",  # tests keep their files in memory
}


def configuration(parameters: Mapping[str, str], data_dir: Path, socket_folder: Path, port: int) -> str:
    """Write the server's configuration file."""
    given = {
        **parameters,
        "listen_addresses": "",
        "port": str(port),
        "unix_socket_directories": str(socket_folder),
        "unix_socket_permissions": "0700",
        "hba_file": str(data_dir / "postgres.hba.conf"),
        "ident_file": str(data_dir / "postgres.ident.conf"),
    }
    lines = [f"{name} = '{_quoted(value)}'" for name, value in given.items()]
    return "\n".join(["# Written by Setia at every start; changes here are lost.", *lines, ""])


def access_rules() -> str:
    """Say who may connect: only the two users named in the map, known by the kernel, and nobody over a network."""
    return "local all all peer map=setia\nlocal replication all peer map=setia\n"


def _quoted(value: str) -> str:
    return value.replace("'", "''")
