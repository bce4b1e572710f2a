"""In which forms a page is written, and which bulletins there are: one line each."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Literal, get_args

from liuyu.basin.places import Basin
from liuyu.monitor.summarise.blocks import Page
from liuyu.monitor.summarise.bulletin import Cross, bulletin
from liuyu.monitor.summarise.bulletin_page import bulletin_page
from liuyu.monitor.summarise.contents import Report
from liuyu.monitor.summarise.duty import daily_page, flood_page, watch
from liuyu.monitor.summarise.html import page_to_html
from liuyu.monitor.summarise.page import page
from liuyu.monitor.summarise.pdf import page_to_pdf
from liuyu.monitor.summarise.word import page_to_docx
from liuyu.store.interface import Store

Form = Literal["html", "pdf", "docx"]
Kind = Literal["forecast", "daily", "flood"]
FORMS: tuple[Form, ...] = get_args(Form)
KINDS: tuple[Kind, ...] = get_args(Kind)
_WRITERS: Mapping[Form, Callable[[Page], bytes]] = {
    "html": page_to_html,
    "pdf": page_to_pdf,
    "docx": page_to_docx,
}


def report_file(made: Report, form: Form, language: str) -> bytes:
    """A report in a form and a language, zh or en. The same report gives the same bytes. Raises BadInput, NotFound."""
    return _WRITERS[form](page(made, language))


def bulletin_file(page: Page, form: Form) -> bytes:
    """A bulletin in a form. Raises NotFound where no font with Chinese characters is at hand."""
    return _WRITERS[form](page)


def bulletin_pages(
    kind: Kind, basin: Basin, store: Store, at: int, cross: Cross, stations: Sequence[str] = ()
) -> Callable[[str], Page]:
    """A bulletin as of a moment [s UTC], to be written in a language.

    `forecast` is the newest forecast, of some stations if these are named; `daily` that of the duty room; `flood` that
    of the flood in course. Raises NotFound where there is nothing to tell: no forecast, or no flood.
    """
    if kind == "forecast":
        made = bulletin(basin, store, at, cross, stations)
        return lambda language: bulletin_page(made, language)
    seen, write = watch(basin, store, at, cross), daily_page if kind == "daily" else flood_page
    return lambda language: write(seen, language)
