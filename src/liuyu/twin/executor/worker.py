"""What runs in a worker process: take work from a line, do it, send back what came of it."""

from __future__ import annotations

import pickle
import signal
import traceback
from functools import lru_cache
from multiprocessing.connection import Connection
from typing import Any

from liuyu.basin.errors import BadInput, LiuyuError, ModelFailed, NotFound
from liuyu.twin.executor.interface import Scattered

_KINDS: dict[str, type[LiuyuError]] = {"BadInput": BadInput, "NotFound": NotFound, "ModelFailed": ModelFailed}
_line: list[Connection] = []


def tell(news: Any) -> None:
    """Tell whoever gave the work how it goes; nothing happens where nobody did."""
    if _line:
        _line[0].send(("told", news))


def serve(line: Connection) -> None:
    """Work until the line is closed. Ctrl-C is for the one who gave the work."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _line.append(line)
    while True:
        try:
            parcel = line.recv_bytes()
        except (EOFError, OSError):
            return
        try:
            line.send(_done(parcel))
        except (BrokenPipeError, OSError):
            return


def _done(parcel: bytes) -> tuple[Any, ...]:
    try:
        work, given = pickle.loads(parcel)
        return "done", work(*(_opened(each) for each in given))
    except BrokenPipeError:
        raise
    except LiuyuError as error:
        kind = next((each.__name__ for each in type(error).__mro__ if each.__name__ in _KINDS), "ModelFailed")
        return "failed", kind, str(error), ""
    except BaseException as error:  # whatever it was must be told, or the giver would wait for ever
        return "failed", "ModelFailed", f"{type(error).__name__}: {error}", traceback.format_exc()


def error_of(kind: str, message: str, label: str) -> LiuyuError:
    """The error that a worker sent, with what it was doing."""
    return _KINDS[kind](f"{label}: {message}" if label else message)


def _opened(given: Any) -> Any:
    return _read(given.place) if isinstance(given, Scattered) else given


@lru_cache(maxsize=8)
def _read(path: str) -> Any:
    with open(path, "rb") as file:
        return pickle.load(file)
