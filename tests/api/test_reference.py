"""`/docs`: everything it loads comes from this server, and the browser is told to take nothing else."""

import re

import pytest

from api_world import World
from setia.api import reference


def test_the_page_loads_from_here_only(world: World) -> None:
    page = world.call("GET", "/docs", key=None)

    assert page.status_code == 200
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert page.headers["content-security-policy"] == (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )
    assert "//" not in page.text, "no address of another machine"
    # No text between the tags: an inline script would be refused by the policy above.
    assert re.findall(r"<script[^>]*>(.*?)</script>", page.text) == ["", ""]
    loaded = re.findall(r'(?:src|rel="stylesheet" href)="([^"]+)"', page.text)
    assert loaded == ["docs/swagger-ui.css", "docs/swagger-ui-bundle.js", "docs/start.js"]
    types = {name: world.call("GET", f"/{name}", key=None).headers["content-type"] for name in loaded}
    assert types == {
        "docs/swagger-ui.css": "text/css; charset=utf-8",
        "docs/swagger-ui-bundle.js": "text/javascript; charset=utf-8",
        "docs/start.js": "text/javascript; charset=utf-8",
    }


def test_what_it_starts_reads_our_document_and_asks_no_validator(world: World) -> None:
    script = world.call("GET", "/docs/start.js", key=None).text

    assert 'url: "openapi.json"' in script
    assert "validatorUrl: null" in script
    assert world.call("GET", "/openapi.json", key=None).json()["openapi"] == "3.1.0"


def test_it_is_swagger_ui_and_may_be_kept_by_the_browser(world: World) -> None:
    bundle = world.call("GET", "/docs/swagger-ui-bundle.js", key=None)

    assert "SwaggerUIBundle" in bundle.text[:1000]
    assert bundle.headers["cache-control"] == "public, max-age=3600"
    assert world.call("GET", "/docs", key=None).headers["cache-control"] == "no-store"


@pytest.mark.parametrize("path", ["/redoc", "/docs/oauth2-redirect", "/docs/redoc.standalone.js", "/docs/../core.py"])
def test_nothing_else_is_there(world: World, path: str) -> None:
    assert world.call("GET", path, key=None).status_code == 404


def test_without_the_package_it_says_what_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reference, "find_spec", lambda _name: None)

    with pytest.raises(RuntimeError, match="fastapi_offline is not installed"):
        reference.routes()
