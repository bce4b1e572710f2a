"""The tables of the embedded store, and what a connection must have before it may touch them.

Observations are keyed by time first, in blocks of three hours, so that what arrives together lies together. Keyed by
station first, or in blocks so long that a series fills a page in each, every batch rewrites a page for every value.
"""

from __future__ import annotations

import apsw
import apsw.sqlite_extra

from liuyu.basin.errors import StoreFailed
from liuyu.store.batches import BLOCK
from liuyu.store.engine.chain import begin
from liuyu.store.sqlite.link import Link

VERSION = 3
"""Schema of a store that this code writes; kept in the file as `user_version`."""

APPLICATION = 0x6C697579
"""`application_id` of the file: the letters "liuy"."""

OLDEST_SQLITE = (3, 51, 3)
"""Older libraries can lose the write-ahead log when a checkpoint races a reset (SQLite forum, WAL-reset bug)."""

USABLE = "{0}.flag <= 2 AND {0}.value - {0}.value = 0.0"
"""The rows that `latest` and roll-ups may use: flag GOOD or NOT_EVALUATED and a finite number (inf - inf is NULL)."""

_MOVED = 1_000_000 * 86_400
BLOCK_OF = f"(({{0}} + {_MOVED}) / {BLOCK} - {_MOVED // BLOCK})"
_DAY_OF = f"(({{0}} + {_MOVED}) / 86400 - {_MOVED // 86_400})"
"""Block and day number of a time: SQLite's division rounds towards zero, so the time is first moved above it."""

MARKS = """
CREATE TABLE aside_mark (aside INTEGER PRIMARY KEY, state TEXT NOT NULL, at INTEGER NOT NULL, note TEXT NOT NULL);
"""
"""What version 2 of the schema has and version 1 had not."""

CHAIN = """
CREATE TABLE IF NOT EXISTS chain (
    log TEXT NOT NULL, link INTEGER NOT NULL, entry INTEGER NOT NULL, digest BLOB NOT NULL, PRIMARY KEY (log, link)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS file (digest TEXT PRIMARY KEY, content BLOB NOT NULL);
CREATE TRIGGER IF NOT EXISTS chain_stays BEFORE UPDATE ON chain
    BEGIN SELECT RAISE(ABORT, 'the chain of a log is append-only'); END;
CREATE TRIGGER IF NOT EXISTS chain_kept BEFORE DELETE ON chain
    BEGIN SELECT RAISE(ABORT, 'the chain of a log is append-only'); END;
"""
"""What version 3 has and version 2 had not: the chains of the logs, and files."""

TABLES = f"""
CREATE TABLE meta (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE station (number INTEGER PRIMARY KEY, code TEXT NOT NULL UNIQUE);
CREATE TABLE source (number INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE);

CREATE TABLE observation (
    block INTEGER NOT NULL, station INTEGER NOT NULL, quantity INTEGER NOT NULL, time INTEGER NOT NULL,
    value REAL, flag INTEGER NOT NULL, received INTEGER NOT NULL, source INTEGER NOT NULL,
    PRIMARY KEY (block, station, quantity, time)
) WITHOUT ROWID;
CREATE TABLE version (
    id INTEGER PRIMARY KEY, station INTEGER NOT NULL, quantity INTEGER NOT NULL, time INTEGER NOT NULL,
    value REAL, flag INTEGER NOT NULL, received INTEGER NOT NULL, source INTEGER NOT NULL, replaced INTEGER NOT NULL
);
CREATE INDEX version_of ON version (station, quantity, time);
CREATE TABLE latest (
    station INTEGER NOT NULL, quantity INTEGER NOT NULL, time INTEGER NOT NULL, value REAL NOT NULL,
    flag INTEGER NOT NULL, PRIMARY KEY (station, quantity)
) WITHOUT ROWID;
CREATE TABLE hourly (
    day INTEGER NOT NULL, station INTEGER NOT NULL, quantity INTEGER NOT NULL, time INTEGER NOT NULL,
    count INTEGER NOT NULL, minimum REAL NOT NULL, maximum REAL NOT NULL, total REAL NOT NULL,
    PRIMARY KEY (day, station, quantity, time)
) WITHOUT ROWID;
CREATE TABLE daily (
    day INTEGER NOT NULL, station INTEGER NOT NULL, quantity INTEGER NOT NULL,
    count INTEGER NOT NULL, minimum REAL NOT NULL, maximum REAL NOT NULL, total REAL NOT NULL,
    PRIMARY KEY (day, station, quantity)
) WITHOUT ROWID;

CREATE TABLE aside (
    id INTEGER PRIMARY KEY, received INTEGER NOT NULL, source TEXT NOT NULL, reason TEXT NOT NULL, payload BLOB NOT NULL
);
{MARKS}CREATE TABLE forecast (
    issued INTEGER NOT NULL, station INTEGER NOT NULL, quantity INTEGER NOT NULL, model TEXT NOT NULL,
    steps INTEGER NOT NULL, members INTEGER NOT NULL, time BLOB NOT NULL, value BLOB NOT NULL,
    drivers BLOB NOT NULL, provenance BLOB NOT NULL,
    PRIMARY KEY (issued, station, quantity, model)
);
CREATE INDEX forecast_of ON forecast (station, quantity, issued);
CREATE TABLE grid (
    name TEXT NOT NULL, time INTEGER NOT NULL, folder TEXT NOT NULL, PRIMARY KEY (name, time)
) WITHOUT ROWID;

CREATE TABLE event (
    seq INTEGER PRIMARY KEY, kind TEXT NOT NULL, id TEXT NOT NULL, time INTEGER NOT NULL, state TEXT NOT NULL,
    subject TEXT NOT NULL, body BLOB NOT NULL, UNIQUE (kind, id, time, state)
);
CREATE INDEX event_time ON event (time);
CREATE INDEX event_id ON event (id);
CREATE INDEX event_subject ON event (subject);
CREATE TABLE state (name TEXT PRIMARY KEY, blob BLOB NOT NULL);
CREATE TABLE audit (
    id INTEGER PRIMARY KEY, at INTEGER NOT NULL, user TEXT NOT NULL, action TEXT NOT NULL, target TEXT NOT NULL,
    detail BLOB NOT NULL
);
CREATE TABLE job (
    id INTEGER PRIMARY KEY, kind TEXT NOT NULL, name TEXT NOT NULL, payload BLOB NOT NULL, state TEXT NOT NULL,
    submitted INTEGER NOT NULL, due INTEGER NOT NULL, attempts INTEGER NOT NULL, worker TEXT NOT NULL,
    lease_until INTEGER, ended INTEGER, reason TEXT NOT NULL, result BLOB NOT NULL, UNIQUE (kind, name)
);
CREATE INDEX job_waiting ON job (state, due);

CREATE TRIGGER event_stays BEFORE UPDATE ON event BEGIN SELECT RAISE(ABORT, 'the event log is append-only'); END;
CREATE TRIGGER event_kept BEFORE DELETE ON event BEGIN SELECT RAISE(ABORT, 'the event log is append-only'); END;
CREATE TRIGGER audit_stays BEFORE UPDATE ON audit BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END;
CREATE TRIGGER audit_kept BEFORE DELETE ON audit BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END;
"""

STAGE = f"""
CREATE TEMP TABLE stage_key (i INTEGER PRIMARY KEY, v INTEGER NOT NULL);
CREATE TEMP TABLE stage_time (i INTEGER PRIMARY KEY, v INTEGER NOT NULL);
CREATE TEMP TABLE stage_value (i INTEGER PRIMARY KEY, v REAL);
CREATE TEMP VIEW touched AS
    SELECT k.i AS i, {BLOCK_OF.format("t.v")} AS block, {_DAY_OF.format("t.v")} AS day, k.v >> 24 AS station,
        (k.v >> 8) & 65535 AS quantity, k.v & 255 AS flag, t.v AS time
    FROM stage_key k CROSS JOIN stage_time t ON t.i = k.i;
CREATE TEMP VIEW staged AS
    SELECT u.i, u.block, u.station, u.quantity, u.flag, u.time, x.v AS value
    FROM touched u CROSS JOIN stage_value x ON x.i = u.i;
"""


def check_library(version: str) -> None:
    """Refuse a SQLite library that can lose data. Raises StoreFailed with the version found and the cure."""
    if tuple(int(part) for part in version.split(".")) < OLDEST_SQLITE:
        oldest = ".".join(map(str, OLDEST_SQLITE))
        raise StoreFailed(
            f"apsw brings SQLite {version}, which can lose written data; install apsw >= {oldest} from PyPI"
        )
    if not apsw.sqlite_extra.has("ieee754"):
        raise StoreFailed("apsw was built without SQLite's ieee754 extension; install its wheel from PyPI")


def prepare(connection: apsw.Connection) -> None:
    """Settings of every connection."""
    connection.set_busy_timeout(30_000)
    connection.pragma("temp_store", "memory")
    apsw.sqlite_extra.load(connection, "ieee754")
    connection.execute(STAGE)


def prepare_writer(connection: Link) -> None:
    """Settings of the one writer; makes the tables where there are none. Raises StoreFailed for a foreign file."""
    prepare(connection)
    connection.pragma("journal_mode", "wal")
    # FULL: the end of a transaction waits for the disk, so that a power cut takes nothing that was acknowledged.
    connection.pragma("synchronous", "full")
    connection.pragma("wal_autocheckpoint", 0)
    connection.pragma("cache_size", -262_144)
    check_version(connection, connection.filename)
    if connection.pragma("user_version") == 0:
        with connection:
            connection.execute(TABLES)
            connection.execute(CHAIN)
            begin(connection)
            connection.pragma("application_id", APPLICATION)
            connection.pragma("user_version", VERSION)
    elif connection.pragma("user_version") < VERSION:
        with connection:
            if connection.pragma("user_version") == 1:
                connection.execute(MARKS)
            connection.execute(CHAIN)
            begin(connection)
            connection.pragma("user_version", VERSION)


def check_version(connection: apsw.Connection, file: str) -> None:
    """Raise StoreFailed where the file belongs to another program or to a newer liuyu."""
    application, version = connection.pragma("application_id"), connection.pragma("user_version")
    tables = connection.execute("SELECT count(*) FROM sqlite_schema").get
    if application != APPLICATION and tables:
        raise StoreFailed(
            f"{file} is a database of another program (application_id {application}); give another folder"
        )
    if version > VERSION:
        raise StoreFailed(f"{file} has schema {version}, this liuyu knows up to {VERSION}; install a newer liuyu")
