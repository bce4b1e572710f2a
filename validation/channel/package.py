"""Writes the calibrated main stem below the dam as the `channel` part of the Yangtze's package.

    python validation/channel/package.py

Sections stand where shapes change; `refine` puts others between them. Series are named: the caller gives them.
"""

from __future__ import annotations

from pathlib import Path

from calibrate import read
from main_stem import lower_network, records

from liuyu.twin.channel import write_sections

FOLDER = Path(__file__).parents[2] / "basins" / "yangtze" / "channel"

if __name__ == "__main__":
    network = lower_network(read(), records("2025-06-01", "2025-06-10"), 1e9)
    write_sections(FOLDER, network)
    ends = ["node,kind,series,slope", "坝下,discharge,release of 60106980,", "大通,level,level at 60115000,"]
    (FOLDER / "boundaries.csv").write_text("\n".join(ends) + "\n", encoding="utf-8")
    rows = [f"{each.name},{each.reach},{each.chainage:g},{each.node},{each.name}" for each in network.laterals]
    (FOLDER / "laterals.csv").write_text(
        "\n".join(["lateral,reach,chainage_m,node,series", *rows]) + "\n", encoding="utf-8"
    )
