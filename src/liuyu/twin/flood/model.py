"""A flood that is marched: its state, its balance of volumes, and what may be done to it between steps."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable

import msgspec
import numpy as np
from numpy.typing import NDArray

from liuyu.basin.errors import BadInput, ModelFailed
from liuyu.physics.flood.fields import (
    BLOCKED,
    CELL,
    CFL,
    CLOCK_SIZE,
    COUNTS_SIZE,
    DRY,
    END,
    FAILED,
    GHOSTS,
    HLLC,
    IN,
    INERTIAL,
    LIMIT,
    LONGEST,
    MUSCL,
    NOW,
    OUT,
    RAINED,
    SOAKED,
    SPEED,
    STEP,
    STEPS,
    TILE,
    TIME,
    UPDATES,
    VOLUMES_SIZE,
)  # fmt: skip
from liuyu.physics.flood.laws import GRAVITY
from liuyu.physics.flood.march import Notes, march
from liuyu.physics.flood.peaks import note_peaks
from liuyu.physics.flood.threads import SHARED_SIZE
from liuyu.physics.flood.tiles import choose_tiles
from liuyu.twin.flood.arrays import (
    INSIDE,
    TableBook,
    make_fields,
    make_links,
    make_peaks,
    make_sides,
    make_sources,
    make_tiles,
    scheme_of,
)  # fmt: skip
from liuyu.twin.flood.breaches import Worn
from liuyu.twin.flood.problem import Floats, Flood, check_flood

_CHUNK = 200  # steps between two looks at breaches, interrupts and progress
CFLS = {HLLC: 0.9, MUSCL: 0.8, INERTIAL: 0.6}  # of the speed by which each scheme is bound


class Balance(msgspec.Struct, frozen=True):
    """Volumes [m³] since the start. `inflow` includes rain, `outflow` what soaked away; `error` is what is missing."""

    start: float
    stored: float
    inflow: float
    outflow: float
    rain: float
    infiltration: float

    @property
    def error(self) -> float:
        """Stored less what should be [m³]."""
        return self.stored - self.start - self.inflow + self.outflow

    @property
    def relative_error(self) -> float:
        """The error as a share of all water there has been."""
        return self.error / max(self.start + self.inflow, 1e-300)


class FloodModel:
    """A flood from its start: `advance` marches it. Its arrays have the terrain's shape, row 0 in the south.

    Raises BadInput, listing every fault, where the flood cannot begin.
    """

    def __init__(self, flood: Flood) -> None:
        check_flood(flood)
        if flood.scheme.device == "cuda":
            raise BadInput("device='cuda' is not built yet; take device='cpu'")
        self.flood = flood
        self.real = np.float32 if flood.scheme.precision == "single" else np.float64
        self.datum = float(np.floor(np.nanmin(flood.terrain)))
        self._scheme = scheme_of(flood)
        self.fields = make_fields(flood, self.datum, self.real)
        book = TableBook()
        self._sides = make_sides(flood, book)
        self._sources = make_sources(flood, book)
        self._links = make_links(flood)
        self._rain_table = book.add(flood.rain.series) if flood.rain.series is not None else -1
        self._tables = book.tables()
        self._tiles = make_tiles(flood, self._sources, self._links)
        self.peaks = make_peaks(self.fields.bed.shape, self.real)
        self._worn = [Worn(each, self) for each in flood.breaches]
        self._begin()

    def _begin(self) -> None:
        pieces = len(self._tiles.runs)
        clock = np.zeros(CLOCK_SIZE)
        clock[CELL], clock[DRY] = self.flood.cell, 1e-5 if self.real is np.float32 else 1e-6
        clock[CFL] = self.flood.scheme.cfl or CFLS[self._scheme]
        clock[LONGEST] = self.flood.cell / (2.0 * np.sqrt(GRAVITY * 0.05))
        counts = np.zeros(COUNTS_SIZE, np.int64)
        self.notes = Notes(
            clock, counts, np.zeros(VOLUMES_SIZE), np.zeros(pieces, np.int32), np.zeros((pieces, 4)), np.zeros(pieces)
        )
        h = self.fields.depth[0][INSIDE].astype(float)
        u, v = np.abs(self.flood.velocity_x), np.abs(self.flood.velocity_y)
        waves = np.sqrt(GRAVITY * h)
        moving = np.where(h > clock[DRY], waves if self._scheme == INERTIAL else u + v + 2.0 * waves, 0.0)
        clock[SPEED] = np.nanmax(moving, initial=0.0)
        self._pieces = np.zeros(4, np.int64)
        self._pieces[0] = choose_tiles(self._tiles, self.fields.depth, self.fields.qx, self.fields.qy, 0)
        rain, rows = self.fields.rain, self.flood.terrain.shape[0]
        inner = rain[INSIDE] if len(rain) > 1 else rain[:, GHOSTS:-GHOSTS]
        self._rain_sum = float(inner.astype(float).sum()) * (1 if len(rain) > 1 else rows)
        self._start = self._stored()

    @property
    def time(self) -> float:
        """Seconds since the start."""
        return float(self.notes.clock[TIME])

    @property
    def steps(self) -> int:
        """Steps so far."""
        return int(self.notes.counts[STEPS])

    @property
    def cell_updates(self) -> int:
        """Cells marched so far, counting each step of each; dry tiles that were left alone do not count."""
        return int(self.notes.counts[UPDATES])

    @property
    def depth(self) -> Floats:
        """Depth of water [m]; NaN where there is no terrain."""
        depth = self.fields.depth[self._now][INSIDE].astype(float)
        return np.where(self._outside, np.nan, depth)

    @property
    def bed(self) -> Floats:
        """Level of the bed [m], breaches included; NaN where there is no terrain."""
        bed = self.fields.bed[INSIDE].astype(float) + self.datum
        return np.where(self._outside, np.nan, bed)

    @property
    def level(self) -> Floats:
        """Level of the water [m]; NaN where it is dry."""
        depth = self.depth
        return np.where(depth > self.notes.clock[DRY], self.bed + depth, np.nan)

    @property
    def discharge(self) -> tuple[Floats, Floats]:
        """Unit discharges [m²/s] eastwards and northwards, at cell centres."""
        qx, qy = self.fields.qx[self._now].astype(float), self.fields.qy[self._now].astype(float)
        if self._scheme == INERTIAL:
            qx = 0.5 * (qx + np.roll(qx, -1, 1))
            qy = 0.5 * (qy + np.roll(qy, -1, 0))
        return np.where(self._outside, np.nan, qx[INSIDE]), np.where(self._outside, np.nan, qy[INSIDE])

    @property
    def velocity(self) -> tuple[Floats, Floats]:
        """Velocities [m/s] eastwards and northwards; 0 where it is dry."""
        h = self.depth
        wet = h > self.notes.clock[DRY]
        qx, qy = self.discharge
        return np.where(wet, qx, 0.0) / np.where(wet, h, 1.0), np.where(wet, qy, 0.0) / np.where(wet, h, 1.0)

    @property
    def balance(self) -> Balance:
        """The balance of volumes up to now."""
        volumes = self.notes.volumes
        rain, soaked = float(volumes[RAINED]), float(volumes[SOAKED])
        return Balance(
            start=self._start,
            stored=self._stored(),
            inflow=float(volumes[IN]) + rain,
            outflow=float(volumes[OUT]) + soaked,
            rain=rain,
            infiltration=soaked,
        )

    def put(self, row: int, column: int, volume: float) -> float:
        """Add a volume [m³] to a cell, or take up to what it holds; returns what was added (negative: taken).

        It enters the balance, so that a river beside the plain gives exactly what the plain receives.
        """
        i, j = row + GHOSTS, column + GHOSTS
        area = self.flood.cell**2
        h = self.fields.depth[self._now]
        before = float(h[i, j])
        h[i, j] = max(before + volume / area, 0.0)
        self.fields.depth[1 - self._now][i, j] = h[i, j]
        moved = (float(h[i, j]) - before) * area
        self.notes.volumes[IN if moved > 0.0 else OUT] += abs(moved)
        self.wake(row, column)
        return moved

    def wake(self, row: int, column: int) -> None:
        """See to it that the tiles around a cell are marched from the next step on."""
        self._tiles.wet[row // TILE, column // TILE] = 1
        fields = self.fields
        self._pieces[0] = choose_tiles(self._tiles, fields.depth, fields.qx, fields.qy, self._now)

    def advance(self, until: float, heard: Callable[[float], None] | None = None) -> None:
        """March to a time [s]. `heard` is told the time now and then. Raises ModelFailed with cell, time and reason."""
        clock, counts = self.notes.clock, self.notes.counts
        counts[LIMIT] = _CHUNK
        while clock[TIME] < until:
            clock[END] = min([until, *(each.next_time(clock[TIME]) for each in self._worn)])
            self._march()
            if counts[FAILED]:
                raise ModelFailed(self._reason())
            if clock[STEP] < 1e-7 * clock[LONGEST] and clock[TIME] < clock[END]:
                raise ModelFailed(f"at {clock[TIME]:.6g} s the step shrank to {clock[STEP]:.3g} s: {self._fastest()}")
            for each in self._worn:
                each.wear(clock[TIME])
            if heard is not None:
                heard(self.time)
        self._note_peaks()

    def _note_peaks(self) -> None:
        rows, columns = self.fields.bed.shape
        box = np.array([GHOSTS, rows - GHOSTS, GHOSTS, columns - GHOSTS])
        h, qx, qy = self.fields.depth[self._now], self.fields.qx[self._now], self.fields.qy[self._now]
        note_peaks(self.peaks, box, h, qx, qy, 1 if self._scheme == INERTIAL else 0, self.real(self.time))

    @property
    def threads(self) -> int:
        """Threads that march: as many as asked for, but no more than there are cores."""
        return min(self.flood.scheme.threads or 1024, os.cpu_count() or 1)

    def compile(self) -> None:
        """Have the march compiled, or read from the cache, without a step; so that timings begin thereafter."""
        self.notes.counts[LIMIT] = 0
        self._march()

    def _march(self) -> None:
        threads = max(min(self.threads, int(self._pieces[0])), 1)
        shared = np.zeros(SHARED_SIZE, np.int64)
        arguments = (
            threads, shared, self._scheme, self.datum, self._rain_table, self._rain_sum, self.fields, self._sides,
            self._sources, self._links, self._tables, self._tiles, self.peaks, self.notes, self._pieces,
        )  # fmt: skip
        helpers = [threading.Thread(target=march, args=(k, *arguments)) for k in range(1, threads)]
        for each in helpers:
            each.start()
        march(0, *arguments)
        for each in helpers:
            each.join()

    @property
    def _now(self) -> int:
        return int(self.notes.counts[NOW])

    @property
    def _outside(self) -> NDArray[np.bool_]:
        return np.asarray(self.fields.bed[INSIDE] >= 0.5 * BLOCKED)

    def _stored(self) -> float:
        return float(self.fields.depth[self._now][INSIDE].sum(dtype=float)) * self.flood.cell**2

    def _reason(self) -> str:
        bad = np.zeros(self.flood.terrain.shape, bool)
        for each in (self.fields.depth, self.fields.qx, self.fields.qy):
            bad |= ~np.isfinite(each[self._now][INSIDE])
        row, column = np.argwhere(bad)[0] if bad.any() else (-1, -1)
        return (
            f"the flood became unstable at {self.time:.6g} s in row {row} from the south, column {column} "
            f"({int(bad.sum())} cells are no longer numbers); look at bed and inflows there, or lower cfl"
        )

    def _fastest(self) -> str:
        u, v = self.velocity
        speed = np.nan_to_num(np.abs(u) + np.abs(v))
        row, column = np.unravel_index(int(np.argmax(speed)), speed.shape)
        return f"water runs at {speed[row, column]:.3g} m/s in row {row} from the south, column {column}"
