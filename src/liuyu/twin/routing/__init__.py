"""A routed reach between two gauges: its laws fitted, its states held to the lower gauge by a Kalman filter."""

from liuyu.twin.routing.kalman import Filter, Reach, fit_reach, forecasts, open_run, tune

__all__ = ["Filter", "Reach", "fit_reach", "forecasts", "open_run", "tune"]
