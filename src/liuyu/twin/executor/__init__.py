"""Work shared out among processors: `submit`, `map` and `scatter`, whoever does it.

`ProcessExecutor` is a pool of processes of this machine and the default; `DaskExecutor` hands the same work to a Dask
cluster. Results come in the order in which the work was given, so that the same work gives the same bytes on any number
of workers.
"""

from liuyu.twin.executor.interface import Executor, Scattered
from liuyu.twin.executor.pool import ProcessExecutor
from liuyu.twin.executor.worker import tell

__all__ = ["Executor", "ProcessExecutor", "Scattered", "tell"]
