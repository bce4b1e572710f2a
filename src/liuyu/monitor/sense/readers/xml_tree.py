"""XML into a small tree that knows its lines. Document types are refused: through them come the attacks by entities."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from xml.parsers import expat

from liuyu.basin.errors import BadInput

LARGEST = 256 << 20
DEEPEST = 200


@dataclass(slots=True)
class Element:
    """One element: its namespace and local name, attributes by local name, text, children, and its line."""

    space: str
    name: str
    line: int
    attributes: dict[str, str]
    text: str = ""
    children: list[Element] = field(default_factory=list)

    def find(self, *path: str) -> Element | None:
        """The first element along a path of local names, or None."""
        here: Element | None = self
        for name in path:
            here = next((each for each in here.children if each.name == name), None) if here else None
        return here

    def every(self, name: str) -> Iterator[Element]:
        """Every element of a local name below this one, in the order of the file."""
        for each in self.children:
            if each.name == name:
                yield each
            yield from each.every(name)

    def word(self, *path: str) -> str:
        """The text at the end of a path, without blanks around it; empty where there is none."""
        found = self.find(*path)
        return found.text.strip() if found else ""

    def attribute(self, name: str, *path: str) -> str:
        """An attribute of the element at the end of a path; empty where there is none."""
        found = self.find(*path)
        return found.attributes.get(name, "") if found else ""


def read_xml(path: Path) -> Element:
    """The root of an XML file. Raises BadInput where it cannot be read, is no XML or declares a document type."""
    try:
        if path.stat().st_size > LARGEST:
            raise BadInput(f"{path.name} is larger than {LARGEST >> 20} MiB; split it")
        return parse_xml(path.read_bytes(), path.name)
    except OSError as error:
        raise BadInput(f"{path} cannot be read ({error.strerror}); check its name and rights") from None


def parse_xml(content: bytes, file: str) -> Element:
    """The root of an XML document. Raises BadInput as `read_xml` does."""
    parser = expat.ParserCreate(namespace_separator="\n")
    parser.buffer_text = True
    top = Element("", "", 0, {})
    open_ones = [top]

    def start(tag: str, attributes: dict[str, str]) -> None:
        space, _, name = tag.rpartition("\n")
        if len(open_ones) > DEEPEST:
            raise BadInput(f"{file}:{parser.CurrentLineNumber}: nested deeper than {DEEPEST}; this is no data file")
        plain = {key.rpartition("\n")[2]: value for key, value in attributes.items()}
        made = Element(space, name, parser.CurrentLineNumber, plain)
        open_ones[-1].children.append(made)
        open_ones.append(made)

    def end(_: str) -> None:
        open_ones.pop()

    def characters(text: str) -> None:
        open_ones[-1].text += text

    def refuse(*_: object) -> None:
        raise BadInput(f"{file}:{parser.CurrentLineNumber}: declares a document type; remove the DOCTYPE")

    parser.StartElementHandler, parser.EndElementHandler = start, end
    parser.CharacterDataHandler, parser.StartDoctypeDeclHandler = characters, refuse
    try:
        parser.Parse(content, True)
    except expat.ExpatError as error:
        raise BadInput(f"{file}:{error.lineno}: is not XML ({error}); export it again") from None
    return top.children[0]
