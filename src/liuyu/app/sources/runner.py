"""Sources at work: a thread each, run again where one fails, stopped together."""

from __future__ import annotations

import logging
import threading
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

from liuyu.app.sources import kind_of
from liuyu.app.sources.source import Place, Settings, Source
from liuyu.web.ports import OrderDesk

FIRST_WAIT, LONGEST_WAIT = 1.0, 300.0
PATIENCE = 60.0
_log = logging.getLogger("liuyu.sources")


class Sources:
    """The sources of a twin. The first that listens to stations has the folder of `place`, others one within."""

    def __init__(self, settings: Sequence[Settings], place: Place) -> None:
        self.settings = tuple(settings)
        self.every: list[Source] = []
        first = next((each for each in settings if each.kind == "stations"), None)
        for each in settings:
            home = place.folder if each is first else place.folder / "sources" / each.title
            self.every.append(kind_of(each.kind).open_source(each, replace(place, folder=home)))
        self._stop = threading.Event()
        self._threads = [
            threading.Thread(target=self._keep_running, args=(each,), name=f"liuyu-{each.name}", daemon=True)
            for each in self.every
        ]

    @property
    def orders(self) -> OrderDesk | None:
        """The orders of the first source that listens to stations; None where none does."""
        desks = (getattr(each, "orders", None) for each in self.every)
        return next((each for each in desks if each is not None), None)

    def counts(self) -> dict[str, int]:
        """What has happened since the start, added up over all of them."""
        total: Counter[str] = Counter()
        for each in self.every:
            total.update(each.counts())
        return dict(total)

    def start(self) -> dict[str, str]:
        """Start them all and say where each is at work. Raises BadInput where one cannot; then all are stopped."""
        for thread in self._threads:
            thread.start()
        try:
            return {each.name: each.started(PATIENCE) for each in self.every}
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """Stop them all: what has come by then is delivered."""
        self._stop.set()
        for thread in self._threads:
            if thread.is_alive():
                thread.join()

    def _keep_running(self, source: Source) -> None:
        wait = FIRST_WAIT
        while not self._stop.is_set():
            try:
                source.run(self._stop)
            except Exception:  # whatever it was: the others go on, and this one is tried again
                _log.exception("source %s stopped; it is tried again in %g s", source.name, wait)
                self._stop.wait(wait)
                wait = min(2 * wait, LONGEST_WAIT)
            else:
                return
