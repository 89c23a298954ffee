"""The secret of an installation: given by the operator, or made once and kept beside the embedded database."""

import os
import secrets
from pathlib import Path

from setia.settings import InvalidSettings, Settings

FILE = "secret.key"


def load_secret_key(settings: Settings) -> bytes:
    """Give the secret, making it at the first call of an installation with an embedded database."""
    if settings.secret_key is not None:
        return settings.secret_key.get_secret_value().encode()
    path = settings.data_dir / FILE
    if not path.exists():
        if settings.database_url is not None:
            # Two machines with one database and two secrets would refuse each other's sessions and codes.
            raise InvalidSettings(
                ["SETIA_SECRET_KEY: must be set together with SETIA_DATABASE_URL. Make one: `openssl rand -hex 32`."]
            )
        _make(path)
    return path.read_text(encoding="ascii").strip().encode()


def _make(path: Path) -> None:
    """Write a new secret under another name and link it into place: of two processes at once, the first one wins."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="ascii") as file:
        file.write(secrets.token_hex(32) + "\n")
        file.flush()
        os.fsync(file.fileno())
    try:
        path.hardlink_to(draft)
    except FileExistsError:
        pass
    finally:
        draft.unlink()
