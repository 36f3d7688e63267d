"""A real PostgreSQL for tests: a server of their own, on a free port of this machine, gone with them."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

import psycopg
import pytest

_OWNER = "owner"


@dataclass
class Postgres:
    """A running server with two users, `owner` and `reader`, who may read everything; they share the password."""

    port: int
    password: str = "pl4nted-S3cret"
    _numbers: Iterator[int] = field(default_factory=count)

    def address(self, database: str, *, user: str = "reader") -> str:
        """The address of a database, as crm.toml has it."""
        return f"postgresql://{user}@127.0.0.1:{self.port}/{database}"

    def connect(self, database: str) -> psycopg.Connection:
        """A connection of the owner's, without transactions."""
        return psycopg.connect(self.address(database, user=_OWNER), password=self.password, autocommit=True)

    def execute(self, database: str, *statements: str) -> None:
        """Carry out SQL as the owner."""
        with self.connect(database) as connection:
            for statement in statements:
                connection.execute(statement.encode())

    def new_database(self, *statements: str) -> str:
        """Make a database and fill it; its name."""
        name = f"shop_{next(self._numbers)}"
        self.execute("postgres", f"CREATE DATABASE {name}")
        self.execute(name, *statements)
        return name


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """A server for the tests of this process; it starts within a second or two."""
    binaries = _binaries()
    if binaries is None:
        missing = "no PostgreSQL server is installed: apt-get install postgresql"
        pytest.fail(missing) if os.environ.get("CI") == "true" else pytest.skip(missing)
    user = _unprivileged_user()
    folder = Path(tempfile.mkdtemp(prefix="crm-postgres-"))
    try:
        if user:
            shutil.chown(folder, user)
        with _running(binaries, folder, user) as server:
            reader = f"CREATE ROLE reader LOGIN PASSWORD '{server.password}' IN ROLE pg_read_all_data"
            server.execute("postgres", reader)
            yield server
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _binaries() -> Path | None:
    """The folder of the newest server that is installed."""
    usual = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: float(path.parent.name), reverse=True)
    asked = shutil.which("pg_config")
    told = subprocess.run([asked, "--bindir"], capture_output=True, text=True, check=True).stdout if asked else ""
    return next((path for path in [*usual, Path(told.strip())] if (path / "initdb").exists()), None)


def _unprivileged_user() -> str | None:
    """PostgreSQL does not start as root: then it is another user's."""
    if os.geteuid():
        return None
    known = {entry.pw_name for entry in pwd.getpwall()}
    return next(name for name in ("postgres", "nobody") if name in known)


@contextmanager
def _running(binaries: Path, folder: Path, user: str | None) -> Iterator[Postgres]:
    as_user = {"user": user, "group": pwd.getpwnam(user).pw_gid, "extra_groups": []} if user else {}
    password = folder / "password"
    password.write_text(Postgres.password)
    password.chmod(0o644)
    data = folder / "data"
    made = [binaries / "initdb", "-D", data, "-U", _OWNER, f"--pwfile={password}", "--auth=scram-sha-256"]
    subprocess.run(
        [*made, "--encoding=UTF8", "--no-locale", "--no-sync"], check=True, capture_output=True, cwd="/", **as_user
    )
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    told = [
        "listen_addresses=127.0.0.1",
        f"port={port}",
        "unix_socket_directories=",
        "fsync=off",
        "max_connections=20",
    ]
    options = [part for one in told for part in ("-c", one)]
    log = (folder / "log").open("wb")
    server = subprocess.Popen([binaries / "postgres", "-D", data, *options], stderr=log, cwd="/", **as_user)
    try:
        yield _answering(Postgres(port), server, folder / "log")
    finally:
        server.send_signal(signal.SIGQUIT)  # end at once: nothing has to be kept
        server.wait(timeout=30)
        log.close()


def _answering(postgres: Postgres, server: subprocess.Popen[bytes], log: Path) -> Postgres:
    for _ in range(200):
        assert server.poll() is None, log.read_text()
        try:
            postgres.connect("postgres").close()
        except psycopg.OperationalError:
            time.sleep(0.05)
        else:
            return postgres
    raise AssertionError("PostgreSQL does not answer: " + log.read_text())
