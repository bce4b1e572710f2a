"""Who may be sent orders and notifications, how they are reached, and how the office that sends them numbers them.

A file of data in the basin package, kind = "recipients"; docs/howto/respond.md describes it.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from pathlib import Path
from string import Formatter
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from liuyu.basin.directives import Recipient
from liuyu.basin.errors import BadPackage, Fault, NotFound
from liuyu.basin.places import Basin
from liuyu.basin.toml_file import TomlFile
from liuyu.monitor.respond.playbook import Both, Hours, Name, Texts

_IN_NUMBER = ("year", "serial")


class Office(msgspec.Struct, frozen=True, kw_only=True):
    """Who issues: its name, the forms of its numbers, who may sign, and how long it waits for an answer.

    With `two_persons` nobody signs what they drafted or changed last. `acknowledge_h` and `report_h` are the deadlines
    after the signature; an order must be reported back, a notification only acknowledged.
    """

    code: Name = "duty-office"
    name: Texts = Both("防汛调度室", "Flood operations room")
    order_number: Texts = Both("调令〔{year}〕第{serial}号", "Order {year}/{serial}")
    notification_number: Texts = Both("通知〔{year}〕第{serial}号", "Notification {year}/{serial}")
    sign_role: Annotated[
        Literal["duty_officer", "administrator"], Meta(description="duty_officer or administrator")
    ] = "duty_officer"
    two_persons: bool = False
    acknowledge_h: Hours = 1
    report_h: Hours = 6


class Contact(msgspec.Struct, frozen=True, kw_only=True):
    """A recipient: its name, the one above it, the reservoirs that it runs, and its address on each channel."""

    code: Name
    name: Texts
    superior: str = ""
    reservoirs: tuple[str, ...] = ()
    channels: tuple[str, ...] = ("page",)
    address: Mapping[str, str] = {}


class Group(msgspec.Struct, frozen=True, kw_only=True):
    """A notification list."""

    code: Name
    name: Texts
    recipients: tuple[str, ...]


class Directory(msgspec.Struct, frozen=True, kw_only=True):
    """The whole list in force."""

    version: str = ""
    office: Office = Office()
    contacts: tuple[Contact, ...] = ()
    groups: tuple[Group, ...] = ()

    def contact(self, code: str) -> Contact:
        """The contact of a code. Raises NotFound, with the nearest code."""
        found = next((each for each in self.contacts if each.code == code), None)
        if found is None:
            raise NotFound(f"no recipient {code[:80]!r}; {_near(code, [each.code for each in self.contacts])}")
        return found

    def resolve(self, codes: Iterable[str]) -> tuple[Recipient, ...]:
        """The recipients of codes, each of a contact or of a list, once each, in order. Raises NotFound."""
        groups = {each.code: each.recipients for each in self.groups}
        wanted = dict.fromkeys(one for code in codes for one in groups.get(code, (code,)))
        return tuple(_recipient(self.contact(code)) for code in wanted)

    def running(self, reservoirs: Iterable[str]) -> tuple[Recipient, ...]:
        """Who runs some reservoirs."""
        wanted = set(reservoirs)
        return tuple(_recipient(each) for each in self.contacts if wanted & set(each.reservoirs))

    def superiors(self, codes: Iterable[str]) -> tuple[Contact, ...]:
        """Who stands above some recipients, once each."""
        above = dict.fromkeys(self.contact(code).superior for code in codes if code in self._codes())
        return tuple(self.contact(code) for code in above if code)

    def _codes(self) -> set[str]:
        return {each.code for each in self.contacts}


def read_directory(files: Iterable[Path], basin: Basin) -> Directory:
    """The list in some files, none of which makes an empty one.

    Raises BadPackage with every fault of every file: its line, its value and what would mend it.
    """
    found, faults = Directory(), list[Fault]()
    for path in files:
        file = TomlFile(path)
        if file.kind != "recipients":
            file.fault(
                'kind is not "recipients"', 'begin the file with kind = "recipients"', key="kind", value=file.kind
            )
        else:
            found = _read(file, basin)
        faults += file.faults
    if faults:
        raise BadPackage(basin.folder or basin.code, faults)
    return found


def _read(file: TomlFile, basin: Basin) -> Directory:
    row = file.data.get("office", {})
    office = file.convert(row, Office, table="office") if isinstance(row, dict) else None
    contacts, groups = file.tables("recipient", Contact), file.tables("list", Group)
    codes = [each.code for _, each in contacts]
    lists = [each.code for _, each in groups]
    for place, (index, contact) in enumerate(contacts):
        _check_contact(file, index, contact, codes, basin)
        if codes.index(contact.code) != place:
            file.fault(
                "recipient given twice", "keep one", table="recipient", index=index, key="code", value=contact.code
            )
    for index, group in groups:
        if group.code in codes or lists.count(group.code) > 1:
            cure = "give the list a code of its own"
            file.fault("is another's code", cure, table="list", index=index, key="code", value=group.code)
        for code in group.recipients:
            if code not in codes:
                file.fault(
                    "no such recipient", _near(code, codes), table="list", index=index, key="recipients", value=code
                )
    if office is not None:
        for key in ("order_number", "notification_number"):
            _check_number(file, key, getattr(office, key))
    return Directory(
        version=str(file.data.get("version", "")),
        office=office or Office(),
        contacts=tuple(each for _, each in contacts),
        groups=tuple(each for _, each in groups),
    )


def _check_contact(file: TomlFile, index: int, contact: Contact, codes: list[str], basin: Basin) -> None:
    if contact.superior and contact.superior not in codes:
        cure = _near(contact.superior, codes)
        file.fault("no such recipient", cure, table="recipient", index=index, key="superior", value=contact.superior)
    reservoirs = [each.code for each in basin.reservoirs]
    for code in contact.reservoirs:
        if code not in reservoirs:
            cure = _near(code, reservoirs)
            file.fault("no such reservoir", cure, table="recipient", index=index, key="reservoirs", value=code)
    for channel in contact.address:
        if channel not in contact.channels:
            cure = "add it to channels, or leave the address out"
            file.fault(
                "an address without its channel", cure, table="recipient", index=index, key="address", value=channel
            )


def _check_number(file: TomlFile, key: str, text: Both) -> None:
    for language in (text.zh, text.en):
        try:
            used = {name for _, name, _, _ in Formatter().parse(language) if name is not None}
        except ValueError as error:
            file.fault(str(error), "pair the braces", table="office", key=key, value=language)
            continue
        if "serial" not in used or used - set(_IN_NUMBER):
            cure = "it needs {serial}, and may have {year}"
            file.fault("is no form of a number", cure, table="office", key=key, value=language)


def _recipient(contact: Contact) -> Recipient:
    return Recipient(code=contact.code, name={"zh": contact.name.zh, "en": contact.name.en}, channels=contact.channels)


def _near(name: str, known: Iterable[str]) -> str:
    known = list(known)
    near = difflib.get_close_matches(name, known, n=1)
    return f"did you mean {near[0]!r}?" if near else f"known: {', '.join(known[:12]) or 'none'}"
