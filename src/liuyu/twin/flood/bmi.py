"""The flood behind the Basic Model Interface, version 2.0, so that other frameworks can drive it.

Hutton E., Piper M., Tucker G. (2020) The Basic Model Interface 2.0. J. Open Source Softw. 5(51), 2317. The class has
every function of `bmipy.Bmi` and needs no package for it. There is one grid, uniform and rectilinear, with rows from
south to north; arrays of values are flat, row by row.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from liuyu.basin.errors import BadInput, NotFound
from liuyu.twin.flood.case_file import Case, read_case
from liuyu.twin.flood.model import FloodModel

Values = NDArray[Any]
DEPTH, BED, LEVEL = "land_surface_water__depth", "land_surface__elevation", "land_surface_water_surface__elevation"
SPEED_X, SPEED_Y = (
    "land_surface_water_flow__x_component_of_velocity",
    "land_surface_water_flow__y_component_of_velocity",
)
SUPPLY = "land_surface_water_source__volume"
_UNITS = {DEPTH: "m", BED: "m", LEVEL: "m", SPEED_X: "m s-1", SPEED_Y: "m s-1", SUPPLY: "m3"}


class BmiFlood:
    """A flood from a case file. Output: depth, bed, level, velocities; input: volumes put into cells [m³], at once."""

    def __init__(self) -> None:
        self._case: Case | None = None
        self._model: FloodModel | None = None
        self._supplied: Values = np.zeros(0)

    def initialize(self, config_file: str) -> None:
        """Read a case file. Raises BadPackage with its faults."""
        self._case = read_case(Path(config_file))
        self._model = FloodModel(self._case.flood)
        self._supplied = np.zeros(self._case.flood.terrain.size)

    @property
    def model(self) -> FloodModel:
        """The flood itself. Raises BadInput before `initialize`."""
        if self._model is None:
            raise BadInput("the flood is not begun; call initialize(CASE.toml) first")
        return self._model

    @property
    def case(self) -> Case:
        """Its case."""
        if self._case is None:
            raise BadInput("the flood is not begun; call initialize(CASE.toml) first")
        return self._case

    def update(self) -> None:
        """March one output interval."""
        self.update_until(self.model.time + self.case.output)

    def update_until(self, time: float) -> None:
        """March to a time [s]."""
        self.model.advance(time)

    def finalize(self) -> None:
        """Forget the flood."""
        self._model = self._case = None

    def get_component_name(self) -> str:
        """Name."""
        return "liuyu flood"

    def get_input_item_count(self) -> int:
        """Number of inputs."""
        return len(self.get_input_var_names())

    def get_output_item_count(self) -> int:
        """Number of outputs."""
        return len(self.get_output_var_names())

    def get_input_var_names(self) -> tuple[str, ...]:
        """Names of inputs."""
        return (SUPPLY,)

    def get_output_var_names(self) -> tuple[str, ...]:
        """Names of outputs."""
        return (DEPTH, BED, LEVEL, SPEED_X, SPEED_Y)

    def get_var_grid(self, name: str) -> int:
        """The one grid."""
        self._known(name)
        return 0

    def get_var_type(self, name: str) -> str:
        """Type of a value."""
        self._known(name)
        return "float64"

    def get_var_units(self, name: str) -> str:
        """Unit."""
        return _UNITS[self._known(name)]

    def get_var_itemsize(self, name: str) -> int:
        """Bytes of a value."""
        self._known(name)
        return 8

    def get_var_nbytes(self, name: str) -> int:
        """Bytes of all values."""
        return 8 * self.get_grid_size(self.get_var_grid(name))

    def get_var_location(self, name: str) -> str:
        """Values stand for cells, which this interface calls nodes."""
        self._known(name)
        return "node"

    def get_current_time(self) -> float:
        """Time [s]."""
        return self.model.time

    def get_start_time(self) -> float:
        """Time of the start [s]."""
        return 0.0

    def get_end_time(self) -> float:
        """Time of the end [s]."""
        return self.case.end

    def get_time_units(self) -> str:
        """Unit of time."""
        return "s"

    def get_time_step(self) -> float:
        """The output interval [s]; steps within are chosen by the model."""
        return self.case.output

    def get_value(self, name: str, dest: Values) -> Values:
        """A copy of all values."""
        dest[:] = self._values(name)
        return dest

    def get_value_ptr(self, name: str) -> Values:
        """Only the input has values of its own; the others are made when asked for. Raises BadInput for those."""
        if self._known(name) == SUPPLY:
            return self._supplied
        raise BadInput(f"{name} has no memory of its own, since the model keeps it twice and framed; use get_value")

    def get_value_at_indices(self, name: str, dest: Values, inds: Values) -> Values:
        """A copy of some values."""
        dest[:] = self._values(name)[inds]
        return dest

    def set_value(self, name: str, src: Values) -> None:
        """Put a volume into every cell [m³]."""
        self.set_value_at_indices(name, np.arange(self.get_grid_size(0)), src)

    def set_value_at_indices(self, name: str, inds: Values, src: Values) -> None:
        """Put volumes [m³] into cells; negative ones take, up to what there is."""
        if self._known(name) != SUPPLY:
            raise BadInput(f"{name} cannot be set; put volumes into cells with {SUPPLY}")
        columns = self.case.grid.shape[1]
        self._supplied[:] = 0.0
        for place, volume in zip(np.asarray(inds), np.broadcast_to(src, np.shape(inds)), strict=True):
            if volume:
                self._supplied[place] = self.model.put(int(place) // columns, int(place) % columns, float(volume))

    def get_grid_rank(self, grid: int) -> int:
        """Dimensions."""
        return 2

    def get_grid_size(self, grid: int) -> int:
        """Cells."""
        return self.case.grid.shape[0] * self.case.grid.shape[1]

    def get_grid_type(self, grid: int) -> str:
        """Type of grid."""
        return "uniform_rectilinear"

    def get_grid_shape(self, grid: int, shape: Values) -> Values:
        """Rows and columns."""
        shape[:] = self.case.grid.shape
        return shape

    def get_grid_spacing(self, grid: int, spacing: Values) -> Values:
        """Distance of rows and of columns [m]."""
        spacing[:] = self.case.grid.cell
        return spacing

    def get_grid_origin(self, grid: int, origin: Values) -> Values:
        """Centre of the south-western cell, y and x [m]."""
        origin[:] = self.case.grid.rows_y[0], self.case.grid.columns_x[0]
        return origin

    def get_grid_x(self, grid: int, x: Values) -> Values:
        """Centres of the columns [m]."""
        x[:] = self.case.grid.columns_x
        return x

    def get_grid_y(self, grid: int, y: Values) -> Values:
        """Centres of the rows [m]."""
        y[:] = self.case.grid.rows_y
        return y

    def get_grid_z(self, grid: int, z: Values) -> Values:
        """No third dimension."""
        raise NotImplementedError("the grid has two dimensions")

    def get_grid_node_count(self, grid: int) -> int:
        """Cells."""
        return self.get_grid_size(grid)

    def get_grid_edge_count(self, grid: int) -> int:
        """Not told for a uniform grid."""
        raise NotImplementedError("a uniform grid has no list of edges")

    get_grid_face_count = get_grid_edge_count

    def get_grid_edge_nodes(self, grid: int, edge_nodes: Values) -> Values:
        """Not told for a uniform grid."""
        raise NotImplementedError("a uniform grid has no list of edges")

    get_grid_face_edges = get_grid_face_nodes = get_grid_nodes_per_face = get_grid_edge_nodes

    def _known(self, name: str) -> str:
        if name not in _UNITS:
            raise NotFound(f"{name!r} is no variable of a flood; there are {', '.join(_UNITS)}")
        return name

    def _values(self, name: str) -> Values:
        model = self.model
        if self._known(name) in (SPEED_X, SPEED_Y):
            return np.asarray(model.velocity[name == SPEED_Y]).ravel()
        if name == SUPPLY:
            return self._supplied
        return np.asarray({DEPTH: model.depth, BED: model.bed, LEVEL: model.level}[name]).ravel()
