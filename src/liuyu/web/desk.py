"""What every handler may need, made once when the server starts."""

from __future__ import annotations

import threading
from contextlib import suppress
from pathlib import Path

from litestar.di import NamedDependency

from liuyu.basin.clock import epoch
from liuyu.basin.errors import LiuyuError
from liuyu.web.board import Boards
from liuyu.web.layers import Layers
from liuyu.web.ports import Twin
from liuyu.web.reply import Packed, encode_json
from liuyu.web.scene import scene_of
from liuyu.web.sensorthings.editor import Editor
from liuyu.web.sensorthings.guard import Credentials
from liuyu.web.sensorthings.service import SensorThings
from liuyu.web.session import Sessions
from liuyu.web.stream import Hub
from liuyu.web.tiles import Terrain


class Desk:
    """The twin, and what the server keeps beside it."""

    def __init__(self, twin: Twin, *, cache: Path | None = None) -> None:
        self.twin = twin
        self.sessions = Sessions()
        self.hub = Hub(twin)
        self.boards = Boards(twin.store)
        self.layers = Layers(twin.basin)
        found = self.layers.terrain
        self.terrain = Terrain(found[1] if found else None, found[0].source if found else "", cache)
        self.scene = Packed.of(encode_json(scene_of(twin.basin, self.layers.scene)))
        self.things = SensorThings(twin)
        self.editor = Editor(self.things)
        self.credentials = Credentials()

    def prepare(self) -> None:
        """Make the layers and the terrain, in a thread of its own, before someone asks."""
        threading.Thread(target=self._prepare, name="map", daemon=True).start()

    def _prepare(self) -> None:
        self.terrain.ready()
        for layer in self.layers.scene:
            if layer.kind != "terrain":
                with suppress(LiuyuError):  # whoever asks for the layer is told
                    self.layers.packed(layer.kind)

    @property
    def now(self) -> int:
        """The twin's present [s UTC]."""
        return epoch(self.twin.clock().now)


AtDesk = NamedDependency[Desk]
