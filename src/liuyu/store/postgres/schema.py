"""The tables of the engine, and what a database must have before it may be written to.

Observations are keyed as in the embedded engine, by blocks of three hours, then station, quantity and time; a partition
holds the eight blocks of a day. What arrives together lies together, a day is dropped as a whole, and neither PostGIS
nor TimescaleDB is needed.
"""

from __future__ import annotations

from typing import Any

from liuyu.basin.errors import StoreFailed
from liuyu.store.engine.chain import begin
from liuyu.store.postgres.link import Link

VERSION = 3
"""Schema of a store that this code writes; kept in the table `liuyu`."""

USABLE = "{0}.flag <= 2 AND {0}.value > '-Infinity' AND {0}.value < 'Infinity'"
"""The rows that `latest` and roll-ups may use: flag GOOD or NOT_EVALUATED and a finite number (NaN is the greatest)."""

MARKS = """
CREATE TABLE aside_mark (aside bigint PRIMARY KEY, state text NOT NULL, at bigint NOT NULL, note text NOT NULL);
"""
"""What version 2 of the schema has and version 1 had not."""

CHAIN = """
CREATE TABLE IF NOT EXISTS chain (
    log text COLLATE "C" NOT NULL, link bigint NOT NULL, entry bigint NOT NULL, digest bytea NOT NULL,
    PRIMARY KEY (log, link)
);
CREATE TABLE IF NOT EXISTS file (digest text COLLATE "C" PRIMARY KEY, content bytea NOT NULL);
CREATE OR REPLACE TRIGGER chain_stays BEFORE UPDATE OR DELETE OR TRUNCATE ON chain EXECUTE FUNCTION stay();
"""
"""What version 3 has and version 2 had not: the chains of the logs, and files."""

TABLES = f"""
CREATE TABLE liuyu (version integer NOT NULL);
CREATE TABLE meta (name text COLLATE "C" PRIMARY KEY, value bigint NOT NULL);
CREATE TABLE station (number integer PRIMARY KEY, code text COLLATE "C" NOT NULL UNIQUE);
CREATE TABLE source (number integer PRIMARY KEY, name text COLLATE "C" NOT NULL UNIQUE);

CREATE TABLE observation (
    time bigint NOT NULL, value float8 NOT NULL, received bigint NOT NULL, block integer NOT NULL,
    station integer NOT NULL, source integer NOT NULL, quantity smallint NOT NULL, flag smallint NOT NULL,
    PRIMARY KEY (block, station, quantity, time)
) PARTITION BY RANGE (block);
CREATE TABLE version (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, station integer NOT NULL, quantity smallint NOT NULL,
    time bigint NOT NULL, value float8 NOT NULL, flag smallint NOT NULL, received bigint NOT NULL,
    source integer NOT NULL, replaced bigint NOT NULL
);
CREATE INDEX version_of ON version (station, quantity, time);
CREATE TABLE latest (
    time bigint NOT NULL, value float8 NOT NULL, station integer NOT NULL, quantity smallint NOT NULL,
    flag smallint NOT NULL, PRIMARY KEY (station, quantity)
) WITH (fillfactor = 45, autovacuum_vacuum_scale_factor = 0.5);
CREATE TABLE hourly (
    time bigint NOT NULL, count bigint NOT NULL, minimum float8 NOT NULL, maximum float8 NOT NULL,
    total float8 NOT NULL, day integer NOT NULL, station integer NOT NULL, quantity smallint NOT NULL,
    PRIMARY KEY (day, station, quantity, time)
);
CREATE TABLE daily (
    count bigint NOT NULL, minimum float8 NOT NULL, maximum float8 NOT NULL, total float8 NOT NULL,
    day integer NOT NULL, station integer NOT NULL, quantity smallint NOT NULL,
    PRIMARY KEY (day, station, quantity)
);

CREATE TABLE aside (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, received bigint NOT NULL, source text NOT NULL,
    reason text NOT NULL, payload bytea NOT NULL
);
{MARKS}CREATE TABLE forecast (
    issued bigint NOT NULL, station integer NOT NULL, quantity smallint NOT NULL, model text COLLATE "C" NOT NULL,
    steps integer NOT NULL, members integer NOT NULL, time bytea NOT NULL, value bytea NOT NULL,
    drivers json NOT NULL, provenance json NOT NULL,
    PRIMARY KEY (issued, station, quantity, model)
);
CREATE INDEX forecast_of ON forecast (station, quantity, issued);
CREATE TABLE grid (
    name text COLLATE "C" NOT NULL, time bigint NOT NULL, folder text NOT NULL, PRIMARY KEY (name, time)
);

CREATE TABLE event (
    seq bigint PRIMARY KEY, kind text COLLATE "C" NOT NULL, id text COLLATE "C" NOT NULL, time bigint NOT NULL,
    state text COLLATE "C" NOT NULL, subject text COLLATE "C" NOT NULL, body json NOT NULL,
    UNIQUE (kind, id, time, state)
);
CREATE INDEX event_time ON event (time);
CREATE INDEX event_id ON event (id);
CREATE INDEX event_subject ON event (subject);
CREATE TABLE state (name text COLLATE "C" PRIMARY KEY, blob bytea NOT NULL);
CREATE TABLE audit (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, at bigint NOT NULL, "user" text NOT NULL,
    action text NOT NULL, target text NOT NULL, detail json NOT NULL
);
CREATE TABLE job (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, kind text COLLATE "C" NOT NULL,
    name text COLLATE "C" NOT NULL, payload bytea NOT NULL, state text NOT NULL, submitted bigint NOT NULL,
    due bigint NOT NULL, attempts integer NOT NULL, worker text NOT NULL, lease_until bigint, ended bigint,
    reason text NOT NULL, result bytea NOT NULL, UNIQUE (kind, name)
);
CREATE INDEX job_waiting ON job (state, due);

CREATE FUNCTION stay() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN RAISE EXCEPTION 'the % log is append-only', TG_TABLE_NAME; END $$;
CREATE TRIGGER event_stays BEFORE UPDATE OR DELETE OR TRUNCATE ON event EXECUTE FUNCTION stay();
CREATE TRIGGER audit_stays BEFORE UPDATE OR DELETE OR TRUNCATE ON audit EXECUTE FUNCTION stay();
"""

STAGE = """
CREATE TEMP TABLE stage (
    i integer NOT NULL, block integer NOT NULL, station integer NOT NULL, quantity smallint NOT NULL,
    flag smallint NOT NULL, time bigint NOT NULL, value float8 NOT NULL, newest smallint NOT NULL
) ON COMMIT DELETE ROWS;
CREATE TEMP TABLE touched (
    day integer NOT NULL, block integer NOT NULL, station integer NOT NULL, quantity smallint NOT NULL,
    time bigint NOT NULL
) ON COMMIT DELETE ROWS;
CREATE TEMP TABLE brought (
    time bigint NOT NULL, value float8 NOT NULL, received bigint NOT NULL, block integer NOT NULL,
    station integer NOT NULL, source integer NOT NULL, quantity smallint NOT NULL, flag smallint NOT NULL
) ON COMMIT DELETE ROWS;
"""

_OTHER_TABLES = """
SELECT count(*) FROM pg_class c WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind IN ('r', 'p')
    AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.objid = c.oid AND d.deptype = 'e')
"""


_MAKE_SCHEMA = """
DO $$ BEGIN
    EXECUTE format(
        'CREATE SCHEMA IF NOT EXISTS %I', trim(both ' "' from split_part(current_setting('search_path'), ',', 1))
    );
END $$
"""


def prepare_writer(writer: Link, place: str) -> None:
    """What the one writer needs; makes the tables where there are none. Raises StoreFailed as check_version does."""
    if _one(writer, _OTHER_TABLES) == 0:
        with writer.transaction():
            writer.execute(TABLES, prepare=False)
            writer.execute(CHAIN, prepare=False)
            begin(writer)
            writer.execute("INSERT INTO liuyu VALUES (%s)", (VERSION,))
    check_version(writer, place)
    version = _one(writer, "SELECT max(version) FROM liuyu")
    if version < VERSION:
        with writer.transaction():
            if version == 1:
                writer.execute(MARKS, prepare=False)
            writer.execute(CHAIN, prepare=False)
            begin(writer)
            writer.execute("UPDATE liuyu SET version = %s", (VERSION,))
    writer.execute(STAGE, prepare=False)


def make_schema(writer: Link) -> None:
    """Make the schema that the search path names first, where there is none."""
    if _one(writer, "SELECT current_schema()") is None:
        writer.execute(_MAKE_SCHEMA)


def check_version(link: Link, place: str) -> None:
    """Raise StoreFailed where there is no store, another program's tables, or a store of a newer liuyu."""
    if _one(link, "SELECT to_regclass(quote_ident(current_schema()) || '.liuyu')") is None:
        if _one(link, "SELECT current_schema()") is None or not _one(link, _OTHER_TABLES):
            raise StoreFailed(f"{place} holds no store; give the database of a twin that ran")
        raise StoreFailed(f"{place} holds tables of another program; give a database, or a schema, of its own")
    version = _one(link, "SELECT max(version) FROM liuyu")
    if version is None or version > VERSION:
        raise StoreFailed(f"{place} has schema {version}, this liuyu knows up to {VERSION}; install a newer liuyu")


def _one(link: Link, query: str) -> Any:
    return link.execute(query).fetchall()[0][0]
