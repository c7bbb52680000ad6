"""`/docs`: the API's documentation, usable offline, under a policy that runs no script but its own.

Swagger UI is started by a line of script in the page, which the page's policy allows by its hash (CSP level 2).
"""

from __future__ import annotations

import re

from fastapi.openapi.docs import get_swagger_ui_html
from starlette.requests import Request
from starlette.responses import HTMLResponse

from agent.web.protection import inline

PATH = "/docs"
SCHEMA = "/openapi.json"
ASSETS = "/static-offline-docs"
"""Where fastapi-offline serves Swagger UI's files."""

_SCRIPT = re.compile(rb"<script>(.*?)</script>", re.DOTALL)


def documentation(request: Request) -> HTMLResponse:
    """Return the documentation page. Its addresses are relative: a proxy may have put a path before ours."""
    page = get_swagger_ui_html(
        openapi_url=f".{SCHEMA}",
        title=request.app.title,
        swagger_js_url=f".{ASSETS}/swagger-ui-bundle.js",
        swagger_css_url=f".{ASSETS}/swagger-ui.css",
        swagger_favicon_url=f".{ASSETS}/favicon.png",
    )
    page.headers["Content-Security-Policy"] = policy(page.body)
    return page


def policy(page: bytes | memoryview) -> str:
    """Return the page's Content-Security-Policy: load our own files, call our own API, run exactly its own scripts."""
    scripts = " ".join(inline(script) for script in _SCRIPT.findall(page))
    return (
        f"default-src 'none'; script-src 'self' {scripts}; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )
