"""Find a Chromium for the page's tests, and install Debian's where there is none and we may."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys

NAMES = ("chromium", "chromium-browser", "google-chrome")


def browser() -> str | None:
    """The path of an installed browser."""
    return next((path for name in NAMES if (path := shutil.which(name))), None)


def main() -> None:
    """Install a browser if that is possible; the tests that need one are skipped, and counted, where it is not."""
    if browser() is not None:
        return
    if shutil.which("apt-get") is None or os.geteuid() != 0:
        print(
            "no Chromium here: install it (Debian: apt-get install chromium); its tests will be skipped",
            file=sys.stderr,
        )
        return
    for command in (["apt-get", "update", "-qq"], ["apt-get", "install", "-y", "-qq", "chromium"]):
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            print(f"{' '.join(command)} failed; browser tests will be skipped\n{done.stderr}", file=sys.stderr)
            return


if __name__ == "__main__":
    main()
