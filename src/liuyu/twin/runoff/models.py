"""The table of models: what each is called, its parameters with the ranges that a calibration searches, its sizes."""

from __future__ import annotations

from dataclasses import dataclass

from liuyu.basin.errors import NotFound
from liuyu.physics.runoff import gr4j, gr5, gr6j, hbv, sacsma, xinanjiang
from liuyu.twin.runoff import kernels


@dataclass(frozen=True, slots=True)
class Parameter:
    """A parameter and its range; equal ends fix it, and a wide range of a positive one is searched by its logarithm."""

    name: str
    unit: str
    low: float
    high: float
    logarithmic: bool = False


@dataclass(frozen=True, slots=True)
class RunoffModel:
    """A model as the loops know it: `kind` is its number there, `step_h` the hours of the step that it was made for.

    exchanges: whether it trades water with its neighbours, which then stands in for a correction of precipitation.
    """

    name: str
    kind: int
    own: tuple[Parameter, ...]
    state_size: int
    prepared_size: int
    exchanges: bool = False
    step_h: int = 24

    @property
    def parameters(self) -> tuple[Parameter, ...]:
        """All parameters in the order of a row: those of the weather, then the model's own."""
        weather = WEATHER if self.step_h == 24 else WEATHER_BY_HOURS
        return (UNCORRECTED if self.exchanges else PRECIPITATION, *weather, *self.own)


PRECIPITATION = Parameter("precip_factor", "1", 0.7, 1.5)
UNCORRECTED = Parameter("precip_factor", "1", 1.0, 1.0)
WEATHER = (
    Parameter("pet_factor", "1", 0.6, 1.5),
    Parameter("snow_threshold", "degC", -2.0, 2.5),
    Parameter("snow_factor", "mm/degC/d", 0.8, 8.0),
    Parameter("snow_spread", "degC", 0.0, 16.0),
    Parameter("snow_catch", "1", 0.8, 1.6),
)
WEATHER_BY_HOURS = tuple(
    Parameter(each.name, "mm/degC/h", each.low / 24.0, each.high / 24.0) if each.name == "snow_factor" else each
    for each in WEATHER
)
BEFORE = 1 + len(WEATHER)  # parameters of a row before the model's own
WITHOUT_TEMPERATURE = (0.0, 3.0, 0.0, 1.0)  # the snow's parameters where there is no temperature, hence no snow

_GR = (
    Parameter("x1", "mm", 20.0, 3000.0, True),
    Parameter("x2", "mm/d", -8.0, 8.0),
    Parameter("x3", "mm", 5.0, 800.0, True),
    Parameter("x4", "d", 0.5, 10.0, True),
)
_X5 = Parameter("x5", "1", -1.0, 2.0)
_IMAX = Parameter("imax", "mm", 0.0, 5.0)
_XINANJIANG = (
    Parameter("wm", "mm", 60.0, 800.0, True),
    Parameter("upper_share", "1", 0.05, 0.4),
    Parameter("lower_share", "1", 0.2, 0.95),
    Parameter("c", "1", 0.01, 0.3),
    Parameter("b", "1", 0.05, 2.0, True),
    Parameter("im", "1", 0.0, 0.1),
    Parameter("sm", "mm", 2.0, 150.0, True),
    Parameter("ex", "1", 0.5, 2.5),
)
LONGEST_H = 96  # [h] of the unit hydrograph of HBV by hours
_SHARE = Parameter("interflow_share", "1", 0.05, 0.95)
MODELS = {
    each.name: each
    for each in (
        RunoffModel("gr4j", kernels.GR4J, _GR, gr4j.STATE_SIZE, gr4j.PREPARED_SIZE, exchanges=True),
        RunoffModel(
            "gr6j",
            kernels.GR6J,
            (*_GR, _X5, Parameter("x6", "mm", 0.5, 200.0, True)),
            gr6j.STATE_SIZE,
            gr6j.PREPARED_SIZE,
            exchanges=True,
        ),
        RunoffModel(
            "hbv",
            kernels.HBV,
            (
                Parameter("fc", "mm", 30.0, 1500.0, True),
                Parameter("lp", "1", 0.2, 1.0),
                Parameter("beta", "1", 0.5, 7.0, True),
                Parameter("k", "1/d", 0.01, 0.9, True),
                Parameter("alpha", "1", 0.0, 2.0),
                Parameter("k4", "1/d", 0.0005, 0.15, True),
                Parameter("perc", "mm/d", 0.0, 8.0),
                Parameter("maxbas", "d", 1.0, 15.0, True),
            ),
            hbv.STATE_SIZE,
            hbv.PREPARED_SIZE,
        ),
        RunoffModel(
            "xinanjiang",
            kernels.XINANJIANG,
            (
                *_XINANJIANG,
                Parameter("outflow", "1/d", 0.1, 0.95),
                _SHARE,
                Parameter("ci", "1", 0.3, 0.98),
                Parameter("cg", "1", 0.9, 0.9995),
                Parameter("cs", "1", 0.0, 0.9),
                Parameter("base", "d", 1.0, 15.0, True),
            ),
            xinanjiang.STATE_SIZE,
            xinanjiang.PREPARED_SIZE,
        ),
        RunoffModel(
            "sacsma",
            kernels.SACSMA,
            (
                Parameter("uztwm", "mm", 10.0, 300.0, True),
                Parameter("uzfwm", "mm", 5.0, 200.0, True),
                Parameter("uzk", "1/d", 0.1, 0.75),
                Parameter("pctim", "1", 0.0, 0.05),
                Parameter("adimp", "1", 0.0, 0.3),
                Parameter("zperc", "1", 2.0, 350.0, True),
                Parameter("rexp", "1", 1.0, 5.0),
                Parameter("pfree", "1", 0.0, 0.7),
                Parameter("lztwm", "mm", 10.0, 800.0, True),
                Parameter("lzfsm", "mm", 5.0, 400.0, True),
                Parameter("lzfpm", "mm", 10.0, 1000.0, True),
                Parameter("lzsk", "1/d", 0.02, 0.4, True),
                Parameter("lzpk", "1/d", 0.0005, 0.05, True),
                Parameter("riva", "1", 0.0, 0.0),
                Parameter("side", "1", 0.0, 0.0),
                Parameter("rserv", "1", 0.3, 0.3),
                Parameter("base", "d", 1.0, 15.0, True),
            ),
            sacsma.STATE_SIZE,
            sacsma.PREPARED_SIZE,
        ),
        RunoffModel("gr5j", kernels.GR5J, (*_GR, _X5, _IMAX), gr5.STATE_SIZE, gr5.PREPARED_SIZE, exchanges=True),
        RunoffModel(
            "gr5h",
            kernels.GR5H,
            (
                _GR[0],
                Parameter("x2", "mm/h", -1.0, 1.0),
                _GR[2],
                Parameter("x4", "h", 0.5, 96.0, True),
                _X5,
                _IMAX,
            ),
            gr5.STATE_SIZE,
            gr5.PREPARED_SIZE,
            exchanges=True,
            step_h=1,
        ),
        RunoffModel(
            "xinanjiang_h",
            kernels.XINANJIANG,
            (
                *_XINANJIANG,
                Parameter("outflow", "1/h", 0.002, 0.2, True),
                _SHARE,
                Parameter("ci", "1", 0.9, 0.9995),
                Parameter("cg", "1", 0.995, 0.99998),
                Parameter("cs", "1", 0.0, 0.98),
                Parameter("base", "h", 1.0, 96.0, True),
            ),
            xinanjiang.STATE_SIZE,
            xinanjiang.PREPARED_SIZE,
            step_h=1,
        ),
        RunoffModel(
            "hbv_h",
            kernels.HBV,
            (
                Parameter("fc", "mm", 30.0, 1500.0, True),
                Parameter("lp", "1", 0.2, 1.0),
                Parameter("beta", "1", 0.5, 7.0, True),
                Parameter("k", "1/h", 0.0005, 0.2, True),
                Parameter("alpha", "1", 0.0, 2.0),
                Parameter("k4", "1/h", 0.00002, 0.01, True),
                Parameter("perc", "mm/h", 0.0, 0.4),
                Parameter("maxbas", "h", 1.0, 96.0, True),
            ),
            hbv.QUEUE + LONGEST_H,
            hbv.SHARES + LONGEST_H,
            step_h=1,
        ),
    )
}


HOURLY = tuple(name for name, each in MODELS.items() if each.step_h == 1)
DAILY = tuple(name for name, each in MODELS.items() if each.step_h == 24)


def find_model(name: str) -> RunoffModel:
    """The model of a name. Raises NotFound with the names there are."""
    if name not in MODELS:
        raise NotFound(f"model {name!r} is not known; there are {', '.join(MODELS)}")
    return MODELS[name]
