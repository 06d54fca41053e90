"""The report as PDF, by WeasyPrint, without any access to network or files."""

from __future__ import annotations

from typing import Any, NoReturn

from spineclip.contract.errors import SpineclipError


def report_pdf(html: str) -> bytes:
    """Print a report (from `report_html`) to PDF/UA, one page of A4.

    Raises
    ------
    SpineclipError
        If the libraries that WeasyPrint draws with (Pango) are not on this machine.
    """
    try:
        import weasyprint  # noqa: PLC0415 - needs native libraries, which nothing else of spineclip does
    except OSError as error:
        raise SpineclipError(
            f"a PDF cannot be made here ({error})",
            advice="Install Pango (Debian: libpango-1.0-0, libpangoft2-1.0-0, libharfbuzz-subset0), or use the HTML",
        ) from error
    untyped: Any = weasyprint
    document = untyped.HTML(string=html, base_url="about:blank", url_fetcher=_nothing_from_outside)
    return bytes(document.write_pdf(pdf_variant="pdf/ua-1"))


def _nothing_from_outside(url: str, *_: object, **__: object) -> NoReturn:
    raise ValueError(f"a report asks for nothing from outside, and it asked for {url}")
