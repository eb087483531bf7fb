"""How a page leaves the server: with a policy that allows its own script and nothing else."""

from __future__ import annotations

from starlette.responses import HTMLResponse, JSONResponse, Response

_OWN = (
    "default-src 'none'; script-src 'nonce-{nonce}'; style-src 'nonce-{nonce}'; "
    "connect-src 'self'; img-src data:; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'"
)
_REPORT = (
    "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
HEADERS = (
    ("X-Content-Type-Options", "nosniff"),
    ("Referrer-Policy", "no-referrer"),
    ("X-Frame-Options", "DENY"),
    ("Cross-Origin-Opener-Policy", "same-origin"),
    ("Cross-Origin-Resource-Policy", "same-origin"),
    ("Cache-Control", "no-store"),
)


def page(html: str, nonce: str, *, status: int = 200) -> Response:
    """A page of ours."""
    policy = _OWN.format(nonce=nonce)
    return HTMLResponse(html, status, headers={"Content-Security-Policy": policy})


def report(html: str | bytes) -> Response:
    """A page from a run directory: whatever stands in it, no script of it runs here."""
    return HTMLResponse(html, headers={"Content-Security-Policy": _REPORT})


def refused(status: int, why: str) -> Response:
    return JSONResponse({"error": why}, status_code=status)
