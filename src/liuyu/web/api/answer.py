"""The page behind a recipient's address: a paper on a phone, and two buttons. No account, no script, no other request.

Looking changes nothing, for mail programs follow addresses by themselves; only a button does.
"""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from typing import Annotated, Literal
from urllib.parse import quote

from litestar import Response, get, post
from litestar.concurrency import sync_to_thread
from litestar.params import PathParameter, QueryParameter

from liuyu.basin.errors import BadInput, LiuyuError, StoreFailed
from liuyu.monitor.respond.dispatch import STATES, when
from liuyu.web.api.dispatches import office
from liuyu.web.desk import AtDesk, Desk
from liuyu.web.errors import log, split_message, status_of
from liuyu.web.papers import Answer, PaperSheet
from liuyu.web.reply import WebRequest

Language = Literal["zh", "en"]
Token = Annotated[str, PathParameter(max_length=100)]
Tongue = Annotated[Language | None, QueryParameter(name="lang")]
_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; base-uri 'none'; "
    "frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
    "X-Robots-Tag": "noindex",
}
_LONGEST_BODY = 16 * 1024
_WORDS: Mapping[Language, Mapping[str, str]] = {
    "zh": {
        "lang": "zh-CN",
        "other": "English",
        "to": "收件单位",
        "state": "状态",
        "due": "请于此前确认",
        "report_due": "请于此前报告执行情况",
        "by": "姓名",
        "note": "备注、执行情况",
        "acknowledged": "确认收悉",
        "reported": "报告已执行",
        "done_acknowledged": "已确认收悉",
        "done_reported": "已报告执行情况",
        "over": "本文书已办结或撤销，无需答复。",
        "exercise": "演练，不作为真实调度依据",
        "wrong": "无法办理",
        "back": "返回",
    },
    "en": {
        "lang": "en",
        "other": "中文",
        "to": "Addressed to",
        "state": "State",
        "due": "Acknowledge before",
        "report_due": "Report before",
        "by": "Your name",
        "note": "Note, or how it was carried out",
        "acknowledged": "Acknowledge receipt",
        "reported": "Report it carried out",
        "done_acknowledged": "Receipt acknowledged",
        "done_reported": "Reported as carried out",
        "over": "This paper is over or cancelled; no answer is needed.",
        "exercise": "Exercise: not to be acted upon",
        "wrong": "That cannot be done",
        "back": "Back",
    },
}
_STYLE = """
:root { color-scheme: light dark }
body { font: 18px/1.6 system-ui, "PingFang SC", "Microsoft YaHei", sans-serif; margin: 0 auto; max-width: 42rem;
  padding: 1rem }
header { display: flex; justify-content: space-between; gap: 1rem }
h1 { font-size: 1.3rem; margin: .5rem 0 }
pre { white-space: pre-wrap; overflow-wrap: anywhere; font: inherit; border: 1px solid #8888; border-radius: .5rem;
  padding: .8rem; margin: 1rem 0 }
dl { display: grid; grid-template-columns: auto 1fr; gap: .2rem 1rem; margin: .5rem 0 }
dt { color: #777 } dd { margin: 0 }
.mark { background: #b45309; color: #fff; padding: .3rem .8rem; border-radius: .5rem; display: inline-block }
.done { border-left: .4rem solid #15803d; padding: .3rem .8rem; margin: .6rem 0 }
label { display: block; margin: .8rem 0 .2rem }
input, textarea { font: inherit; width: 100%; box-sizing: border-box; padding: .6rem }
button { font: inherit; font-weight: 600; width: 100%; min-height: 3.6rem; margin: .6rem 0; border: 0;
  border-radius: .6rem; background: #1d4ed8; color: #fff }
button.second { background: #15803d }
"""


@get("/r/{token:str}", include_in_schema=False)
async def get_paper(request: WebRequest, desk: AtDesk, token: Token, lang: Tongue = None) -> Response[str]:
    """The paper."""
    language = lang or _preferred(request)
    try:
        found = await sync_to_thread(office(desk).paper, token)
    except LiuyuError as error:
        return _refused(error, language)
    return _page(_paper(desk, found, language), language)


@post("/r/{token:str}", status_code=200, include_in_schema=False, request_max_body_size=_LONGEST_BODY)
async def answer_paper(request: WebRequest, desk: AtDesk, token: Token, lang: Tongue = None) -> Response[str]:
    """An answer, then the paper again."""
    language = lang or _preferred(request)
    form = await request.form()
    given = {name: str(form.get(name) or "")[:2000] for name in ("what", "by", "note")}
    try:
        await sync_to_thread(_answer, desk, token, given)
    except LiuyuError as error:
        return _refused(error, language)
    target = f"/r/{quote(token, safe='')}?lang={language}"
    return Response("", status_code=303, headers={**_HEADERS, "Location": target}, media_type="text/html")


def _answer(desk: Desk, token: str, given: Mapping[str, str]) -> None:
    what: Answer
    if given["what"] == "acknowledged":
        what = "acknowledged"
    elif given["what"] == "reported":
        what = "reported"
    else:
        raise BadInput(f"what={given['what'][:40]!r} is no answer; press one of the buttons")
    office(desk).answer(token, what, given["by"], given["note"])


def _paper(desk: Desk, found: PaperSheet, language: Language) -> str:
    words, sheet = _WORDS[language], found.sheet
    dispatch, zone = sheet.dispatch, desk.twin.basin.zone
    facts = [(words["to"], found.recipient.name[language]), (words["state"], STATES[sheet.state][language])]
    for name, deadline in (("due", dispatch.due), ("report_due", dispatch.report_due)):
        if deadline is not None:
            facts.append((words[name], when(deadline, zone)[language]))
    parts = [f'<p class="mark">{words["exercise"]}</p>'] if dispatch.exercise else []
    parts += [f"<h1>{escape(dispatch.title[language])}</h1><dl>"]
    parts += [f"<dt>{name}</dt><dd>{escape(value)}</dd>" for name, value in facts]
    parts += ["</dl>", *_buttons(found, language)]
    parts += [f"<pre>{escape(sheet.document[language])}</pre>"]
    return "".join(parts)


def _buttons(found: PaperSheet, language: Language) -> list[str]:
    words = _WORDS[language]
    done = [name for name, is_so in (("acknowledged", found.acknowledged), ("reported", found.reported)) if is_so]
    parts = [f'<p class="done">✓ {words[f"done_{name}"]}</p>' for name in done]
    if "receipt" not in found.sheet.acts:
        return [*parts, f"<p>{words['over']}</p>"]
    left = [name for name in ("acknowledged", "reported") if name not in done]
    if "reported" in left and found.sheet.dispatch.report_due is None:
        left.remove("reported")
    if not left:
        return parts
    parts.append(f'<form method="post" action="?lang={language}">')
    style = {"acknowledged": "", "reported": ' class="second"'}
    asked = f'<label for="by">{words["by"]}</label><input id="by" name="by" maxlength="80" autocomplete="name">'
    asked += f'<label for="note">{words["note"]}</label><textarea id="note" name="note" maxlength="2000" rows="3">'
    asked += "</textarea>"
    buttons = [f'<button name="what" value="{name}"{style[name]}>{words[name]}</button>' for name in left]
    first = buttons[:1] if left[0] == "acknowledged" else []
    return [*parts, *first, asked, *buttons[len(first) :], "</form>"]


def _page(content: str, language: Language, status: int = 200) -> Response[str]:
    words = _WORDS[language]
    other = "en" if language == "zh" else "zh"
    head = f'<!doctype html><html lang="{words["lang"]}"><meta charset="utf-8"><title>liuyu</title>'
    head += '<meta name="viewport" content="width=device-width, initial-scale=1">'
    link = f'<header><span>liuyu 流域</span><a href="?lang={other}" hreflang="{other}">{words["other"]}</a></header>'
    page = f"{head}<style>{_STYLE}</style><body>{link}{content}</body></html>"
    return Response(page, status_code=status, headers=_HEADERS, media_type="text/html")


def _refused(error: LiuyuError, language: Language) -> Response[str]:
    words = _WORDS[language]
    if isinstance(error, StoreFailed):
        log.error("an answer could not be kept: %s", error)
        what, cure = "the store could not answer", "try again"
    else:
        what, cure = split_message(str(error))
    content = (
        f"<h1>{words['wrong']}</h1><p>{escape(what)}</p><p>{escape(cure)}</p><p><a href='?'>{words['back']}</a></p>"
    )
    return _page(content, language, status_of(error))


def _preferred(request: WebRequest) -> Language:
    asked = request.headers.get("accept-language", "zh").lower()
    return "en" if asked.lstrip().startswith("en") else "zh"
