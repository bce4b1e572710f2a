"""Layers of the map, each prepared once and kept."""

from __future__ import annotations

import json
import logging
import threading
from pathlib import Path

from liuyu.basin.errors import NotFound
from liuyu.basin.package import basin_file
from liuyu.basin.package.geometry import read_layer
from liuyu.basin.places import Basin, Layer
from liuyu.web.reply import Packed
from liuyu.web.scene import SceneLayer

log = logging.getLogger(__name__)

GEOJSON = "application/geo+json"


class Layers:
    """The layers of one basin that can be served, each prepared at its first use and kept in memory."""

    def __init__(self, basin: Basin) -> None:
        self._files: dict[str, tuple[Layer, Path]] = {}
        self._packed: dict[str, Packed] = {}
        self._lock = threading.Lock()
        for layer in basin.layers:
            file = basin_file(basin, layer.path)
            if file is None:
                log.warning("layer %s is left out: neither the package nor the bundle has %s", layer.kind, layer.path)
            else:
                self._files[layer.kind] = (layer, file)

    @property
    def scene(self) -> tuple[SceneLayer, ...]:
        """What the scene says of the layers."""
        return tuple(
            SceneLayer(
                kind=kind,
                url="/tiles/terrain.json" if kind == "terrain" else f"/api/layers/{kind}",
                source=layer.source,
                licence=layer.licence,
            )
            for kind, (layer, _) in self._files.items()
        )

    @property
    def terrain(self) -> tuple[Layer, Path] | None:
        """The terrain layer and its raster, if there is one."""
        return self._files.get("terrain")

    def packed(self, kind: str) -> Packed:
        """A layer as compressed GeoJSON. Raises NotFound for a layer that there is not."""
        known = [each for each in self._files if each != "terrain"]
        if kind not in known:
            raise NotFound(f"no layer {kind[:40]!r}; there are: {', '.join(known) or 'none'}")
        with self._lock:
            if kind not in self._packed:
                content = json.dumps(read_layer(self._files[kind][1]), ensure_ascii=False, separators=(",", ":"))
                self._packed[kind] = Packed.of(content.encode(), GEOJSON)
            return self._packed[kind]
