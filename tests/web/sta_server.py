"""A server over a twin with a door, in a process of its own that a test may kill: python sta_server.py FOLDER."""

from __future__ import annotations

import sys
import threading
from pathlib import Path

from small_river import serving
from sta_twin import make_door_twin

if __name__ == "__main__":
    with serving(make_door_twin(Path(sys.argv[1]), values=False)) as url:
        print(url, flush=True)
        threading.Event().wait()
