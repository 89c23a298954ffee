"""The embedded server: made once, shared, closed to others, and back after every kind of death."""

import os
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from setia.db import account, binaries, embedded
from setia.db.account import Account
from setia.db.embedded import EmbeddedServer
from setia.db.engine import Database
from setia.db.errors import EmbeddedServerError
from setia.db.postmaster import Postmaster
from setia.settings import load_settings

USE = """
import sys
from pathlib import Path
from setia.db.embedded import EmbeddedServer
server = EmbeddedServer(Path(sys.argv[1]), durable=False)
print(server.start(), flush=True)
sys.stdin.read()
"""


@pytest.fixture
def folder() -> Iterator[Path]:
    """A data folder that the server's user may reach; pytest's own are closed to it."""
    made = Path(tempfile.mkdtemp(prefix="setia-own-"))
    made.chmod(0o711 if os.geteuid() == 0 else 0o700)
    yield made
    pid = Postmaster(made / "data" / "postgres").pid
    if pid is not None and Postmaster(made / "data" / "postgres").is_running:
        os.kill(pid, signal.SIGQUIT)
    shutil.rmtree(made)


@pytest.fixture
def server(folder: Path) -> Iterator[EmbeddedServer]:
    made = EmbeddedServer(folder / "data", durable=False)
    yield made
    made.stop()


@pytest.fixture
def user(folder: Path) -> Iterator["Users"]:
    users = Users(folder / "data")
    yield users
    users.end()


class Users:
    """Other processes that use the server."""

    def __init__(self, data_dir: Path) -> None:
        self.data_dir = data_dir
        self.processes: list[subprocess.Popen[str]] = []

    def start(self) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, "-c", USE, str(self.data_dir)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self.processes.append(process)
        return process

    def end(self) -> None:
        for process in self.processes:
            process.communicate(timeout=60)


def url_of(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


def ask(url: str, question: str) -> object:
    with psycopg.connect(url) as connection:
        row = connection.execute(question).fetchone()
    assert row is not None
    return row[0]


def die(server: EmbeddedServer) -> None:
    """Kill the main process and wait until its children are gone too, as after a power cut."""
    pid = server.postmaster.pid
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    while server.postmaster.is_running:
        time.sleep(0.01)


def test_it_starts_answers_and_stops(server: EmbeddedServer) -> None:
    url = server.start()
    assert ask(url, "SELECT current_database()") == "setia"
    assert server.start() == url
    server.stop()
    assert not server.postmaster.is_running
    server.stop()


def test_it_keeps_what_was_written(server: EmbeddedServer) -> None:
    with server, psycopg.connect(server.url()) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 7 AS value")
    assert ask(server.start(), "SELECT value FROM kept") == 7


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("server_encoding", "UTF8"),
        ("data_checksums", "on"),
        ("listen_addresses", ""),
        ("synchronous_commit", "on"),
        ("fsync", "off"),
        ("jit", "off"),
        ("timezone", "UTC"),
    ],
)
def test_it_is_set_as_it_should_be(server_url: str, name: str, value: str) -> None:
    assert ask(server_url, f"SHOW {name}") == value


def test_text_is_sorted_by_the_built_in_provider(server_url: str) -> None:
    question = "SELECT datlocprovider::text || ' ' || datlocale FROM pg_database WHERE datname = 'setia'"
    assert ask(server_url, question) == "b C.UTF-8"


def test_a_durable_server_syncs(folder: Path) -> None:
    with EmbeddedServer(folder / "data", parameters={"work_mem": "1MB"}) as durable:
        assert ask(durable.url(), "SHOW fsync") == "on"
        assert ask(durable.url(), "SHOW full_page_writes") == "on"
        assert ask(durable.url(), "SHOW work_mem") == "1MB"


def test_its_folders_are_closed_to_others(server: EmbeddedServer) -> None:
    server.start()
    assert server.cluster.stat().st_mode & 0o777 == 0o700
    socket_folder = server.postmaster.socket_folder
    assert socket_folder is not None
    assert socket_folder.stat().st_mode & 0o777 == 0o700


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
def test_another_user_is_refused_even_through_an_open_folder(server: EmbeddedServer) -> None:
    url = server.start()
    (server.data_dir / "run").chmod(0o777)
    (server.data_dir / "run" / ".s.PGSQL.5432").chmod(0o777)
    nobody = Account.of(pwd.getpwnam("nobody"))
    done = nobody.run(str(binaries.locate_binaries(nobody, server.data_dir) / "psql"), url, "-c", "SELECT 1")
    assert done.returncode != 0
    assert "Peer authentication failed" in done.stderr


def test_many_processes_that_start_at_once_share_one_server(user: Users, server: EmbeddedServer) -> None:
    processes = [user.start() for _ in range(4)]
    urls = {url_of(process) for process in processes}
    assert len(urls) == 1
    assert ask(urls.pop(), "SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'checkpointer'") == 1


def test_the_last_user_stops_it_and_no_one_before(user: Users, server: EmbeddedServer) -> None:
    first, last = user.start(), user.start()
    url_of(first)
    url_of(last)
    first.communicate(timeout=60)
    assert server.postmaster.is_running
    last.communicate(timeout=60)
    assert not server.postmaster.is_running


def test_a_user_that_was_killed_does_not_keep_it_running(user: Users, server: EmbeddedServer) -> None:
    killed = user.start()
    url_of(killed)
    server.start()
    killed.kill()
    killed.wait()
    assert ask(server.url(), "SELECT 1") == 1
    server.stop()
    assert not server.postmaster.is_running


def test_the_server_of_a_user_that_was_killed_is_used_again(user: Users, server: EmbeddedServer) -> None:
    killed = user.start()
    url_of(killed)
    pid = server.postmaster.pid
    killed.kill()
    killed.wait()
    server.start()
    assert server.postmaster.pid == pid


def test_it_starts_again_after_it_was_killed(server: EmbeddedServer, folder: Path) -> None:
    url = server.start()
    with psycopg.connect(url) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 7 AS value")
    die(server)
    with EmbeddedServer(folder / "data", durable=False) as restarted:
        assert ask(restarted.url(), "SELECT value FROM kept") == 7


def test_it_starts_although_its_process_id_now_belongs_to_another_program(server: EmbeddedServer, folder: Path) -> None:
    server.start()
    die(server)
    pid_file = server.cluster / "postmaster.pid"
    lines = pid_file.read_text(encoding="utf-8").split("\n")
    # PostgreSQL ignores processes of other users by itself, so the program has to run as the server's own.
    owner = server.cluster.stat().st_uid
    with subprocess.Popen(["sleep", "60"], user=owner if os.geteuid() == 0 else None) as other:
        pid_file.write_text("\n".join([str(other.pid), *lines[1:]]), encoding="utf-8")
        restarted = EmbeddedServer(folder / "data", durable=False)
        assert ask(restarted.start(), "SELECT 1") == 1
        restarted.stop()
        other.kill()


def test_files_that_were_half_made_are_made_anew(server: EmbeddedServer) -> None:
    draft = server.data_dir / ".postgres.new"
    draft.mkdir(parents=True)
    (draft / "PG_VERSION").write_text("18\n")
    server.data_dir.chmod(0o711)
    assert ask(server.start(), "SELECT 1") == 1


def test_a_server_that_cannot_start_says_why(folder: Path) -> None:
    broken = EmbeddedServer(folder / "data", durable=False, parameters={"shared_buffers": "nonsense"})
    with pytest.raises(EmbeddedServerError, match=r'(?s)did not start.*invalid value for parameter "shared_buffers"'):
        broken.start()
    with EmbeddedServer(folder / "data", durable=False) as mended:
        assert ask(mended.url(), "SELECT 1") == 1


def test_a_long_folder_gets_a_short_socket(folder: Path) -> None:
    long = folder / ("long" * 25)
    with EmbeddedServer(long, durable=False) as server:
        assert ask(server.url(), "SELECT 1") == 1
        assert server.postmaster.socket_folder == server._socket_folder()
        assert server._socket_folder().parent != server.data_dir
    server._socket_folder().rmdir()


def test_a_socket_folder_that_somebody_else_made_is_refused(folder: Path) -> None:
    long = EmbeddedServer(folder / ("long" * 25), durable=False)
    taken = long._socket_folder()
    taken.symlink_to(folder)
    try:
        with pytest.raises(EmbeddedServerError, match="belongs to another user"):
            long.start()
    finally:
        taken.unlink()


def test_a_large_log_is_put_aside(server: EmbeddedServer, monkeypatch: pytest.MonkeyPatch) -> None:
    with server:
        pass
    monkeypatch.setattr(embedded, "_LARGEST_LOG", 0)
    server.start()
    assert (server.cluster / "server.log.1").exists()


def test_a_forked_child_does_not_stop_the_server_of_its_parent(server: EmbeddedServer) -> None:
    server.start()
    child = os.fork()
    if child == 0:
        server.stop()
        os._exit(0)
    os.waitpid(child, 0)
    assert ask(server.url(), "SELECT 1") == 1


def test_a_database_opened_by_settings_runs_and_ends_with_its_server(
    server: EmbeddedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SETIA_DATA_DIR", str(server.data_dir))
    with Database.open(load_settings()) as database:
        assert database.healthy()
        assert server.postmaster.is_running
    assert not server.postmaster.is_running


@pytest.mark.skipif(os.geteuid() != 0, reason="only root runs the server as somebody else")
class TestAsRoot:
    def test_a_folder_that_the_servers_user_cannot_enter_is_refused(self, tmp_path: Path) -> None:
        closed = tmp_path / "closed"
        closed.mkdir(mode=0o700)
        with pytest.raises(EmbeddedServerError, match=r"cannot enter .*Set SETIA_DATA_DIR"):
            EmbeddedServer(closed / "data", durable=False).start()

    def test_programs_that_the_servers_user_cannot_reach_are_copied_once(
        self, server: EmbeddedServer, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        reach = Account.can_reach
        monkeypatch.setattr(
            Account, "can_reach", lambda self, path: "site-packages" not in str(path) and reach(self, path)
        )
        with server:
            copies = sorted(path.name for path in server.data_dir.glob("*binaries-*"))
            assert len(copies) == 1
            assert ask(server.url(), "SELECT 1") == 1
            pid = server.postmaster.pid
            assert Path(f"/proc/{pid}/exe").readlink().is_relative_to(server.data_dir)

    def test_files_that_belong_to_a_user_are_served_as_that_user(self, folder: Path) -> None:
        (folder / "postgres").mkdir()
        nobody = pwd.getpwnam("nobody")
        os.chown(folder / "postgres", nobody.pw_uid, nobody.pw_gid)
        assert account.server_account(folder / "postgres").name == "nobody"

    def test_reach_is_judged_by_owner_group_and_others(self, folder: Path) -> None:
        somebody = Account("somebody", 54321, 54321)
        file = folder / "inner" / "file"
        file.parent.mkdir()
        file.touch()
        file.parent.chmod(0o001)
        assert somebody.can_reach(file)
        os.chown(file.parent, 54321, 0)
        assert not somebody.can_reach(file)
        file.parent.chmod(0o010)
        os.chown(file.parent, 0, 54321)
        assert somebody.can_reach(file)


def test_a_user_without_a_name_is_told_what_to_do(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 54321)
    with pytest.raises(EmbeddedServerError, match="user id 54321 has no name"):
        account.server_account(folder)


def test_the_servers_user_is_made_when_it_is_missing(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[str] = []

    def run(command: tuple[str, ...], **_options: object) -> subprocess.CompletedProcess[str]:
        if command[0] == "useradd":
            raise FileNotFoundError
        made.append(command[0])
        return subprocess.CompletedProcess(command, 0, "", "")

    def look_up() -> Account | None:
        return Account("setia", 7, 7) if made else None

    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr(subprocess, "run", run)
    monkeypatch.setattr(account, "_look_up", look_up)
    assert account.server_account(folder / "none").name == "setia"
    assert made == ["adduser"]


def test_a_user_that_cannot_be_made_is_asked_for(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def run(command: tuple[str, ...], **_options: object) -> subprocess.CompletedProcess[str]:
        return subprocess.CompletedProcess(command, 1, "", f"{command[0]}: no")

    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr(subprocess, "run", run)
    monkeypatch.setattr(account, "_look_up", lambda: None)
    monkeypatch.setattr(time, "sleep", lambda _seconds: None)
    with pytest.raises(EmbeddedServerError, match="useradd: no; adduser: no"):
        account.server_account(folder / "none")


def test_a_data_folder_of_somebody_else_is_refused(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_args: object) -> int:
        raise PermissionError

    with monkeypatch.context() as patch, pytest.raises(EmbeddedServerError, match="belongs to another user"):
        patch.setattr(os, "open", refuse)
        EmbeddedServer(folder / "data").start()


def test_a_missing_wheel_is_named(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(binaries, "find_spec", lambda _name: None)
    with pytest.raises(EmbeddedServerError, match="is not installed"):
        EmbeddedServer(folder / "data").start()


def test_a_wheel_without_the_right_server_is_named(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(binaries, "_INSTALLATION", "pginstall99")
    with pytest.raises(EmbeddedServerError, match="brings no PostgreSQL 18"):
        EmbeddedServer(folder / "data").start()
