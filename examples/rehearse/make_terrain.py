"""Makes the plain behind the levee of Qinghecheng: terrain, townships, detention basin. SYNTHETIC, as all of Qingxi is.

    python examples/rehearse/make_terrain.py FOLDER

What it writes lies in `basins/qingxi/floods`; run it again to change it.
"""

import json
import sys
from itertools import pairwise
from pathlib import Path

import numpy as np
from rasterio.crs import CRS
from rasterio.warp import transform

from liuyu.basin.package import find_basin, read_basin
from liuyu.twin.flood import Grid, write_raster
from liuyu.twin.flood.places import cells_along

CELL = 100.0
REFERENCE = CRS.from_epsg(32650)  # UTM 50 N
CREST = 61.2
FLOODWAY = 500.0  # m between the levee and the hills on the other side
BASIN = ((118.915, 28.8665), (118.945, 28.8665), (118.949, 28.884), (118.933, 28.8925), (118.912, 28.884))
TOWNSHIPS = {
    "清河镇 Qinghe": ((118.786, 28.812), 1500.0, 21400, 2.1, 5.2e9),
    "城北街道 Chengbei": ((118.812, 28.826), 1700.0, 38200, 1.2, 9.8e9),
    "东圩乡 Dongwei": ((118.845, 28.838), 1600.0, 9300, 5.8, 1.1e9),
    "沙洲村 Shazhou": ((118.872, 28.847), 1200.0, 3100, 3.4, 0.3e9),
    "高岗村 Gaogang": ((118.83, 28.862), 1300.0, 2600, 3.9, 0.2e9),
}


def to_grid(places: list[tuple[float, float]]) -> np.ndarray:
    """Longitudes and latitudes as metres."""
    return np.array(transform("EPSG:4326", REFERENCE, *zip(*places, strict=True))).T


def beside(x: np.ndarray, y: np.ndarray, line: np.ndarray) -> np.ndarray:
    """Distance from a line [m], positive on its left."""
    best = np.full(x.shape, np.inf)
    for (ax, ay), (bx, by) in pairwise(line):
        run = (bx - ax) ** 2 + (by - ay) ** 2
        share = np.clip(((x - ax) * (bx - ax) + (y - ay) * (by - ay)) / run, 0.0, 1.0)
        away = np.hypot(x - ax - share * (bx - ax), y - ay - share * (by - ay))
        left = (bx - ax) * (y - ay) - (by - ay) * (x - ax) > 0.0
        best = np.where(away < np.abs(best), np.where(left, away, -away), best)
    return best


def in_ring(x: np.ndarray, y: np.ndarray, ring: np.ndarray) -> np.ndarray:
    """Whether a place lies within a ring."""
    inside = np.zeros(x.shape, bool)
    for (ax, ay), (bx, by) in zip(ring, np.roll(ring, -1, 0), strict=True):
        if ay != by:
            inside ^= ((ay > y) != (by > y)) & (x < ax + (y - ay) / (by - ay) * (bx - ax))
    return inside


def main(folder: Path) -> None:
    """Write terrain.tif and exposure/townships.geojson."""
    levee = read_basin(find_basin("qingxi")).levees[0]
    corners = to_grid([(118.765, 28.79), (118.96, 28.90)])
    low = np.floor(corners[0] / CELL) * CELL
    shape = tuple(np.ceil((corners[1] - low) / CELL).astype(int)[::-1])
    grid = Grid(x=low[0], y=low[1], cell=CELL, shape=shape, reference=REFERENCE.to_wkt())
    x, y = np.meshgrid(grid.columns_x, grid.rows_y)
    inner = to_grid(list(levee.line))
    west = [low[0] - 500.0, inner[0, 1]]
    east = to_grid([(118.91, 28.8600), (118.95, 28.8630), (118.975, 28.8660)])
    line = np.vstack([[west], inner, east])
    away = beside(x, y, line)
    along = x - low[0]
    waves = 0.35 * np.sin(along / 900.0) * np.cos(y / 1100.0) + 0.15 * np.sin(along / 410.0 + y / 530.0)
    ground = 55.2 - 1.1e-4 * along + 0.0011 * np.clip(away - 300.0, 0.0, None) + waves
    ground += 0.012 * np.clip(away - 4600.0, 0.0, None)
    terrain = np.where(away >= 0.0, ground, 50.6 - 2e-5 * along)
    terrain[away < -FLOODWAY] = np.nan
    ring = to_grid(list(BASIN))
    pool = in_ring(x, y, ring)
    terrain[pool] = 53.2 + 0.3 * waves[pool]
    crests = [(np.vstack([ring, ring[:1]]), 60.6), (line, CREST)]
    for crest_line, crest in crests:
        cells = cells_along(grid, [tuple(each) for each in crest_line])[0]
        terrain[tuple(cells.T)] = np.fmax(terrain[tuple(cells.T)], crest)
    gate_side = (along < 200.0) & (away > 0.0)
    terrain[gate_side] = np.fmax(terrain[gate_side], 66.0)  # high ground: the river enters below it alone
    folder.mkdir(parents=True, exist_ok=True)
    write_raster(folder / "terrain.tif", {"ground": np.round(terrain, 1)}, grid)
    write_townships(folder / "exposure" / "townships.geojson", line)
    print(f"{shape[0]} x {shape[1]} cells, {pool.sum() * CELL**2 / 1e6:.1f} km² of detention basin")


def write_townships(path: Path, levee: np.ndarray) -> None:
    """Round townships, cut off at the levee."""
    features = []
    for name, (centre, radius, people, crops, value) in TOWNSHIPS.items():
        (cx, cy) = to_grid([centre])[0]
        turn = np.linspace(0.0, 2.0 * np.pi, 25)
        ring = np.stack([cx + radius * np.cos(turn), cy + radius * np.sin(turn)], axis=1)
        behind = beside(ring[:, 0], ring[:, 1], levee)
        ring[:, 1] += np.clip(120.0 - behind, 0.0, None)
        ring[-1] = ring[0]
        lon, lat = transform(REFERENCE, "EPSG:4326", *ring.T)
        chinese, english = name.split(" ")
        numbers = {"people": people, "cropland_km2": crops, "property_cny": value}
        features.append(
            {
                "type": "Feature",
                "properties": {"name": chinese, "name_en": english, **numbers, "source": "synthetic"},
                "geometry": {
                    "type": "Polygon",
                    "coordinates": [[[round(a, 5), round(b, 5)] for a, b in zip(lon, lat, strict=True)]],
                },
            }
        )
    path.parent.mkdir(parents=True, exist_ok=True)
    lines = ",\n".join(json.dumps(each, ensure_ascii=False) for each in features)
    path.write_text(
        '{"type": "FeatureCollection", "synthetic": true, "features": [\n' + lines + "\n]}\n", encoding="utf-8"
    )


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "basins/qingxi/floods"))
