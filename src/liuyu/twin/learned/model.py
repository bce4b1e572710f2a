"""What was learned, in one NumPy archive `learned.npz` beside `twin.json`, and how it forecasts.

Arrays of the file: `recipe` (JSON, bytes), `series` and `targets` (n, 2) station and quantity, `mean`, `spread`, `low`,
`high` (k,) of the features, `weights` (targets, leads, k + 1) on standardised features, `routed` (targets, leads) the
weight of the routed forecast, `change` (targets, leads, 2) the least and greatest change that was seen, `error`
(n, targets, leads) errors of past forecasts in years left out, in units of `unit` (targets,), `regime` (n, 3) how the
river stood, `wide` (targets, leads) the factor that makes the spread reliable.
"""

from __future__ import annotations

import hashlib
import io
import zipfile
from dataclasses import dataclass
from pathlib import Path

import msgspec
import numpy as np
from numpy.typing import NDArray

from liuyu.basin.errors import BadPackage, Fault
from liuyu.twin.learned.features import Recipe, Target, features

Floats = NDArray[np.float64]
ROOM = 0.25
"""Share of the range seen in training by which a feature or a change may pass it."""
_ARRAYS = ("mean", "spread", "low", "high", "weights", "routed", "change", "regime", "wide", "unit")


@dataclass(frozen=True, slots=True)
class Learned:
    """A data-driven model; the arrays as the head of this file tells."""

    recipe: Recipe
    series: tuple[Target, ...]
    targets: tuple[Target, ...]
    mean: Floats
    spread: Floats
    low: Floats
    high: Floats
    weights: Floats
    routed: Floats
    change: Floats
    error: NDArray[np.int16]
    regime: Floats
    wide: Floats
    unit: Floats

    def expected(self, value: Floats, now: int) -> Floats:
        """Expected change of each target by lead: (targets, leads) [unit], kept within what was seen and some room.

        value: (series, hours) hourly values without gaps, the last at `now` [s UTC].
        """
        found = features(value[None], np.array([now], np.int64), self.series, self.recipe)[0]
        normal = (np.clip(found, self.low, self.high) - self.mean) / self.spread
        change = self.weights[:, :, :-1] @ normal + self.weights[:, :, -1]
        return np.asarray(np.clip(change, self.change[:, :, 0], self.change[:, :, 1]), np.float64)


def standardise(x: Floats) -> tuple[NDArray[np.float32], dict[str, Floats]]:
    """Standardised features with a column of ones, and mean, spread, low and high of each: x (n, k)."""
    mean, spread = x.mean(axis=0), x.std(axis=0)
    spread = np.where(spread < 1e-9, 1.0, spread)
    low, high = x.min(axis=0), x.max(axis=0)
    room = ROOM * (high - low)
    z = np.concatenate([(x - mean) / spread, np.ones((len(x), 1))], axis=1).astype(np.float32)
    return z, {"mean": mean, "spread": spread, "low": low - room, "high": high + room}


def write_learned(file: Path, learned: Learned) -> None:
    """Write the archive, the same bytes for the same model."""
    arrays = {name: getattr(learned, name).astype(np.float32) for name in _ARRAYS}
    arrays["recipe"] = np.frombuffer(msgspec.json.encode(learned.recipe), np.uint8)
    arrays["series"], arrays["targets"] = (np.array(each, "S32") for each in (learned.series, learned.targets))
    arrays["error"] = learned.error
    with zipfile.ZipFile(file, "w") as archive:
        for name in sorted(arrays):
            out = io.BytesIO()
            np.lib.format.write_array(out, np.ascontiguousarray(arrays[name]), allow_pickle=False)
            entry = zipfile.ZipInfo(f"{name}.npy", date_time=(1980, 1, 1, 0, 0, 0))
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, out.getvalue(), compresslevel=9)


def read_learned(file: Path) -> tuple[Learned, bytes]:
    """The model of an archive, and a digest of its bytes. Raises BadPackage where it cannot be read."""
    blob = file.read_bytes()
    try:
        with np.load(io.BytesIO(blob), allow_pickle=False) as found:
            numbers = {name: found[name].astype(np.float64) for name in _ARRAYS}
            series, targets = (_names(found[each]) for each in ("series", "targets"))
            recipe = msgspec.json.decode(found["recipe"].tobytes(), type=Recipe)
            learned = Learned(recipe=recipe, series=series, targets=targets, error=found["error"], **numbers)
    except (ValueError, KeyError, OSError, zipfile.BadZipFile, msgspec.MsgspecError) as error:
        fault = Fault(file=file.name, problem=f"cannot be read: {error}", cure="train it again: liuyu forecast train")
        raise BadPackage(str(file.parent), [fault]) from None
    return learned, hashlib.sha256(blob).digest()


def _names(array: NDArray[np.bytes_]) -> tuple[Target, ...]:
    return tuple((station.decode(), quantity.decode()) for station, quantity in array)
