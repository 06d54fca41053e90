"""A page with one sentence: where there is nothing else to show, said in the reader's language."""

from __future__ import annotations

from html import escape
from typing import Final

from starlette.responses import HTMLResponse

from dashboards.words import Words

_STYLE: Final = (
    "body{font:400 1.125rem/1.5 system-ui,sans-serif;max-width:34rem;margin:3rem auto;padding:0 1rem;"
    "background:#f6f4ef;color:#22313a}a{color:inherit}"
    "@media(prefers-color-scheme:dark){body{background:#141c21;color:#eef2f3}}"
)


def answer(words: Words, key: str, status: int, *, ending: str = "", back: bool = True) -> HTMLResponse:
    """Say the message `key`, with `ending` (HTML) after it and, with `back`, a way to the first page."""
    link = f"<p><a href='/'>{escape(words('answer.back'))}</a></p>" if back else ""
    return HTMLResponse(
        f"<!doctype html><html lang='{words.language}'><head><meta charset='utf-8'>"
        "<meta name='viewport' content='width=device-width, initial-scale=1'>"
        f"<title>spineclip</title><style>{_STYLE}</style></head><body><main><h1>spineclip</h1>"
        f"<p role='status'>{escape(words(key))}</p>{link}{ending}</main></body></html>",
        status,
    )
