"""The API reference at `/docs`: Swagger UI with our OpenAPI document, without any other machine.

FastAPI's own page loads its scripts from a content delivery network: without a network it stays empty, and with one a
stranger's script runs beside somebody's API key. So the assets come from a package that carries them, and the page's
Content-Security-Policy lets a browser load from this server only, whatever those assets would like.
"""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import Final

from starlette.requests import Request
from starlette.responses import FileResponse, Response
from starlette.routing import BaseRoute, Route

PATH: Final = "/docs"

_PACKAGE = "fastapi_offline"
_ASSETS = {"swagger-ui.css": "text/css", "swagger-ui-bundle.js": "text/javascript"}
_START = "start.js"

# No inline script or style either. `data:` is for the icons that stand inside the style sheet; it reaches no machine.
POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)

# Addresses are relative, so that the page also works where a proxy serves Setia under a path.
_PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Setia API</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="docs/swagger-ui.css">
</head>
<body>
<div id="reference"></div>
<noscript>This page needs JavaScript. The document itself is at <a href="openapi.json">openapi.json</a>.</noscript>
<script src="docs/swagger-ui-bundle.js"></script>
<script src="docs/start.js"></script>
</body>
</html>
"""
# The validator is a service of somebody else, which would be told the address of this server. A key is not kept in the
# browser: whoever reloads the page gives it again.
_SCRIPT = """window.reference = SwaggerUIBundle({
  url: "openapi.json",
  dom_id: "#reference",
  deepLinking: true,
  defaultModelsExpandDepth: 0,
  displayRequestDuration: true,
  persistAuthorization: false,
  tryItOutEnabled: true,
  validatorUrl: null,
});
"""


def routes() -> list[BaseRoute]:
    """The page and what it loads. Open to all: it says what the source says, and holds no data."""
    folder = _assets()

    async def page(_request: Request) -> Response:
        return Response(_PAGE, media_type="text/html", headers={"Content-Security-Policy": POLICY})

    async def start(_request: Request) -> Response:
        return Response(_SCRIPT, media_type="text/javascript")

    def asset(name: str, media_type: str) -> BaseRoute:
        async def send(_request: Request) -> Response:
            # Kept by the browser for an hour: it is 1.7 MB, and changes with an update of Setia only.
            headers = {"Cache-Control": "public, max-age=3600"}
            return FileResponse(folder / name, media_type=media_type, headers=headers)

        return Route(f"{PATH}/{name}", send)

    return [
        Route(PATH, page),
        Route(f"{PATH}/{_START}", start),
        *(asset(name, media_type) for name, media_type in _ASSETS.items()),
    ]


def _assets() -> Path:
    """The folder of the assets. The package itself is not imported: only its files are wanted."""
    spec = find_spec(_PACKAGE)
    if spec is None or spec.origin is None:
        raise RuntimeError(f"the package {_PACKAGE} is not installed, and /docs needs its files")
    return Path(spec.origin).parent / "static"
