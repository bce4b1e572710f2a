"""Find a PostgreSQL server's programs for the tests, and install Debian's where there are none and we may."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path


def programs() -> Path | None:
    """The folder of an installed server's programs, the newest version first."""
    found = shutil.which("initdb")
    versions = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda each: float(each.parent.name), reverse=True)
    folders = [*([Path(found).resolve().parent] if found else []), *versions]
    return next((each for each in folders if (each / "postgres").exists() and (each / "pg_ctl").exists()), None)


def main() -> None:
    """Install a server if that is possible; the tests that need one are skipped, and counted, where it is not."""
    if programs() is not None:
        return
    if shutil.which("apt-get") is None or os.geteuid() != 0:
        print(
            "no PostgreSQL here: install it (Debian: apt-get install postgresql); its tests will be skipped",
            file=sys.stderr,
        )
        return
    for command in (["apt-get", "update", "-qq"], ["apt-get", "install", "-y", "-qq", "postgresql"]):
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            print(f"{' '.join(command)} failed; PostgreSQL tests will be skipped\n{done.stderr}", file=sys.stderr)
            return


if __name__ == "__main__":
    main()
