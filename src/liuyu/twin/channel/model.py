"""A network that is marched: its state, its books, and what may be done to it between steps."""

from __future__ import annotations

from pathlib import Path

import msgspec
import numpy as np
from numpy.typing import NDArray

from liuyu.basin.errors import BadInput, ModelFailed, NotFound
from liuyu.physics.channel.fields import make_work
from liuyu.physics.channel.march import UNSOLVED, fill, march
from liuyu.twin.channel.build import build
from liuyu.twin.channel.network import Network
from liuyu.twin.flood.problem import Series

Floats = NDArray[np.float64]
_CLOSED = 1e-10  # share of all water by which the books of a march may be off


class Balance(msgspec.Struct, frozen=True):
    """Volumes [m³] since the start; `error` is what is missing."""

    start: float
    stored: float
    inflow: float
    outflow: float

    @property
    def error(self) -> float:
        """Stored less what should be [m³]."""
        return self.stored - self.start - self.inflow + self.outflow

    @property
    def relative_error(self) -> float:
        """The error as a share of all water there has been."""
        return self.error / max(self.start + self.inflow, 1e-300)


class Course(msgspec.Struct, frozen=True):
    """What was noted: time (rows,) [s], level (rows, cells) [m], discharge (rows, faces) [m³/s], means of a step."""

    time: Floats
    level: Floats
    discharge: Floats


class ChannelState(msgspec.Struct, frozen=True):
    """Water in a network at one moment: level (cells,) [m] and speed (faces,) [m/s]."""

    level: Floats
    speed: Floats


class ChannelModel:
    """A network from its start, time 0.

    `step` [s] is one of accuracy, not of stability; `theta` weighs the end of the step (0.5 least damped, 1 most).
    `level` [m], one number or (cells,), is the start; `depth` [m] does instead. Raises BadInput, listing every fault.
    """

    def __init__(
        self,
        network: Network,
        *,
        step: float,
        theta: float = 0.6,
        level: Floats | float | None = None,
        depth: Floats | float | None = None,
    ) -> None:
        if not step > 0.0 or not 0.5 <= theta <= 1.0:
            raise BadInput(f"step={step!r} must be above 0 s and theta={theta!r} from 0.5 to 1")
        self.network, self.built = network, build(network)
        self.step, self.theta, self.time = float(step), float(theta), 0.0
        net = self.built.net
        self._work = make_work(net)
        bed = net.cells.bed
        begun = bed + (0.0 if depth is None else depth) if level is None else np.broadcast_to(level, bed.shape)
        self.level = np.maximum(begun.astype(float), bed)
        self.speed = np.zeros(len(net.faces.kind))
        self.volume = np.zeros(len(bed))
        self.into, self.out = np.zeros(len(bed)), np.zeros(len(bed))
        self._pending = np.zeros(len(bed))
        self.handed = 0.0
        self.refill()

    def refill(self) -> None:
        """Take the levels as they stand for a new start: volumes follow, the books begin anew."""
        fill(self.built.net, self.level, self._work)
        self.volume[:] = self._work.volume
        self.into[:], self.out[:] = 0.0, 0.0
        self.handed = 0.0
        self._start = float(self.volume.sum())

    @property
    def state(self) -> ChannelState:
        """Levels and speeds as they stand, to begin another model of the same network with."""
        return ChannelState(self.level.copy(), self.speed.copy())

    def begin(self, state: ChannelState) -> None:
        """Start from a state of the same network; the books begin anew. Raises BadInput where it is another's."""
        if state.level.shape != self.level.shape or state.speed.shape != self.speed.shape:
            raise BadInput(
                f"the state holds {state.level.size} cells, this network {self.level.size}; take one of this network"
            )
        self.level[:], self.speed[:] = np.maximum(state.level, self.built.net.cells.bed), state.speed
        self.refill()

    @property
    def balance(self) -> Balance:
        """The books up to now."""
        return Balance(self._start, float(self.volume.sum()), float(self.into.sum()), float(self.out.sum()))

    @property
    def discharge(self) -> Floats:
        """Mean discharge of every face over the last step [m³/s]."""
        return self._work.mean_flow.copy()

    def set_roughness(self, reach: str, factor: Floats | float) -> None:
        """Multiply the roughness of a reach's sections (faces,) from now on."""
        self.built.net.faces.roughness[self.faces(reach)] = factor

    def cells(self, reach: str) -> NDArray[np.int64]:
        """Cells of a reach in order of chainage. Raises NotFound."""
        return _named(self.built.cells, reach, "reach")

    def faces(self, name: str) -> NDArray[np.int64]:
        """Faces of a reach or structure. Raises NotFound."""
        return _named(self.built.faces, name, "reach or structure")

    def place(self, reach: str, chainage: float) -> int:
        """The cell nearest to a chainage [m] of a reach."""
        return int(self.cells(reach)[np.abs(self.built.chainage[reach] - chainage).argmin()])

    def put(self, cell: int, volume: float) -> None:
        """Have a volume [m³] enter a cell during the next step; negative leaves it. `handed` adds them up."""
        self._pending[cell] += volume
        self.handed += volume

    def surfaces(self) -> Floats:
        """Surface of the water of every cell [m²]."""
        fill(self.built.net, self.level, self._work)
        return self._work.surface.copy()

    def advance(self, until: float, every: int = 1) -> Course:
        """March to a time [s], noting each `every`-th step. Raises ModelFailed with place, time and reason."""
        steps = round((until - self.time) / self.step)
        if steps < 1 or abs(self.time + steps * self.step - until) > 1e-6 * self.step:
            raise BadInput(f"until={until!r} is no whole number of steps of {self.step:g} s after {self.time:g} s")
        times: Floats = self.time + self.step * np.arange(1.0, steps + 1.0)
        source, entering, held, heights = self._boundaries(times)
        source[0] += self._pending / self.step
        rows = steps // every
        levels, flows = np.zeros((rows, len(self.level))), np.zeros((rows, len(self.speed)))
        failed = np.zeros(2, np.int64)
        done = march(
            self.built.net, self.level, self.volume, self.speed, self._work, self.step, self.theta, source, entering,
            held, heights, self.into, self.out, levels, flows, every, failed,
        )  # fmt: skip
        self._pending[:] = 0.0
        if done < steps:
            raise ModelFailed(self._reason(failed, float(times[done])))
        self.time = float(times[-1])
        if abs(self.balance.relative_error) > _CLOSED:
            raise ModelFailed(f"at {self.time:.6g} s the network misses {self.balance.error:.6g} m³ of its volume")
        return Course(times[every - 1 :: every], levels, flows)

    def _boundaries(self, times: Floats) -> tuple[Floats, Floats, Floats, Floats]:
        """Means over each step of what enters, levels held at its end, and releases or openings."""
        shape = (len(times), len(self.level))
        source, entering, held = np.zeros(shape), np.zeros(shape), np.zeros(shape)
        heights = np.zeros((len(times), len(self.speed)))
        for end in self.network.boundaries:
            cell = self.built.nodes[end.node]
            if end.kind == "level" and end.series is not None:
                held[:, cell] = np.interp(times, end.series.times, end.series.values)
            elif end.kind == "discharge" and end.series is not None:
                flow = self._mean(end.series, times)
                source[:, cell] += flow
                entering[:, cell] += np.maximum(flow, 0.0)
        for each in self.network.laterals:
            cell = self.place(each.reach, each.chainage) if each.reach else self.built.nodes[each.node]
            source[:, cell] += self._mean(each.series, times)
        for dam in self.network.structures:
            if dam.series is not None:
                heights[:, self.faces(dam.name)[0]] = self._mean(dam.series, times)
        return source, entering, held, heights

    def _mean(self, series: Series, times: Floats) -> Floats:
        """Mean of a series over the step that ends at each time: its integral, however many knots lie within."""
        ends = _integral(series, np.concatenate([[times[0] - self.step], times]))
        return np.asarray(np.diff(ends) / self.step)

    def _reason(self, failed: NDArray[np.int64], time: float) -> str:
        cell = int(failed[1])
        where = f"{self.built.names[cell]} at {time:.6g} s"
        if failed[0] == UNSOLVED:
            return (
                f"{where}: no level balances its volume of {self.volume[cell]:.6g} m³; more is taken out there than it "
                "holds, or a boundary jumps: look at releases and laterals near it, or take a shorter step"
            )
        fill(self.built.net, self.level, self._work)
        missing = self.volume[cell] - self._work.volume[cell]
        return f"{where}: {missing:.6g} m³ are missing between its volume and its level; take a shorter step"

    def save(self, path: Path) -> None:
        """Keep the state in a file, bit for bit."""
        with path.open("wb") as file:
            np.savez(
                file, time=self.time, level=self.level, volume=self.volume, speed=self.speed, into=self.into,
                out=self.out, start=self._start, pending=self._pending, flow=self._work.mean_flow,
            )  # fmt: skip

    def restore(self, path: Path) -> None:
        """Go on from a state that `save` kept. Raises BadInput where it is another network's."""
        with np.load(path) as kept:
            if kept["level"].shape != self.level.shape or kept["speed"].shape != self.speed.shape:
                raise BadInput(
                    f"{path} holds {kept['level'].size} cells, this network {self.level.size}; is it its state?"
                )
            for name in ("level", "volume", "speed", "into", "out"):
                getattr(self, name)[:] = kept[name]
            self._pending[:], self._work.mean_flow[:] = kept["pending"], kept["flow"]
            self.time, self._start = float(kept["time"]), float(kept["start"])


def _integral(series: Series, at: Floats) -> Floats:
    """Integral of a series from its first knot to some times; level outside its knots."""
    times, values = np.asarray(series.times, float), np.asarray(series.values, float)
    if len(times) == 1:
        return np.asarray(values[0] * (at - times[0]))
    whole = np.concatenate([[0.0], np.cumsum(0.5 * (values[1:] + values[:-1]) * np.diff(times))])
    inside = np.clip(at, times[0], times[-1])
    k = np.clip(np.searchsorted(times, inside, side="right") - 1, 0, len(times) - 2)
    since = inside - times[k]
    rise = (values[k + 1] - values[k]) / (times[k + 1] - times[k])
    beyond = values[0] * np.minimum(at - times[0], 0.0) + values[-1] * np.maximum(at - times[-1], 0.0)
    return np.asarray(whole[k] + since * (values[k] + 0.5 * rise * since) + beyond)


def _named(table: dict[str, NDArray[np.int64]], name: str, what: str) -> NDArray[np.int64]:
    if name not in table:
        raise NotFound(f"there is no {what} {name!r}; there are {', '.join(table)}")
    return table[name]
