"""Rivers in one dimension: march Saint-Venant over a network of channels, lakes and dams.

`ChannelModel` marches a `Network`, `read_network` reads one from a folder, `refine` puts sections between those given,
`Levee` joins a river to a two-dimensional plain.
"""

from liuyu.twin.channel.files import read_network, series_names, write_sections
from liuyu.twin.channel.levee import Levee
from liuyu.twin.channel.model import Balance, ChannelModel, ChannelState, Course
from liuyu.twin.channel.network import Boundary, Lake, Lateral, Network, Reach, Section, Structure, part
from liuyu.twin.channel.refine import refine

__all__ = [
    "Balance", "Boundary", "ChannelModel", "ChannelState", "Course", "Lake", "Lateral", "Levee", "Network", "Reach",
    "Section", "Structure", "part", "read_network", "refine", "series_names", "write_sections",
]  # fmt: skip
