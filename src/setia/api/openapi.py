"""The OpenAPI 3.1 document: what FastAPI writes, and what it cannot know."""

from collections.abc import Iterator, Sequence
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from fastapi.routing import APIRoute

from setia.problems import ProblemDetails

Fragment = dict[str, Any]
"""Part of a document: `{"paths": {...}, "components": {"schemas": {...}}}`, for routes FastAPI does not see.

An operation that needs a key says which scope in `x-scope`; how keys are sent is added here."""

_SCHEME = {
    "type": "http",
    "scheme": "bearer",
    "bearerFormat": "setia_<live|test>_<prefix>_<secret>",
    "description": "An API key, made with `setia key create`. It names its program and what it may do (its scopes).",
}
_METHODS = ("get", "post", "put", "patch", "delete")


def describe(app: FastAPI, fragments: Sequence[Fragment]) -> dict[str, Any]:
    """Write the document of `app` with the given fragments; an endpoint that stands in both is a mistake of ours."""
    document = get_openapi(
        title=app.title,
        version=app.version,
        summary=app.summary,
        description=app.description,
        routes=app.routes,
        tags=app.openapi_tags,
        servers=[{"url": "/"}],
    )
    for fragment in fragments:
        _merge(document, fragment, "#")
    components = document.setdefault("components", {})
    components.setdefault("securitySchemes", {})["apiKey"] = _SCHEME
    schemas = components.setdefault("schemas", {})
    details = ProblemDetails.model_json_schema(ref_template="#/components/schemas/{model}")
    schemas.update(details.pop("$defs", {}))
    schemas["ProblemDetails"] = details
    for unused in ("HTTPValidationError", "ValidationError"):
        schemas.pop(unused, None)
    for route in app.routes:
        scope = needed_scope(route)
        if scope is not None and isinstance(route, APIRoute):
            for method in route.methods or ():
                document["paths"][route.path_format][method.lower()]["x-scope"] = scope
    for operation in operations(document):
        if "x-scope" in operation:
            operation["security"] = [{"apiKey": []}]
            operation["description"] += f"\n\nScope: `{operation['x-scope']}`."
    return document


def needed_scope(route: object) -> str | None:
    """The scope that a typed route asks of its caller; None when anybody may call it.

    Found by the dependency that has one, because what endpoints share knows nothing of who calls them.
    """
    if isinstance(route, APIRoute):
        for dependency in route.dependant.dependencies:
            scope = getattr(dependency.call, "scope", None)
            if scope is not None:
                return str(scope)
    return None


def operations(document: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Every operation of a document."""
    for path in document.get("paths", {}).values():
        for method in _METHODS:
            if method in path:
                yield path[method]


def _merge(into: dict[str, Any], fragment: Fragment, place: str) -> None:
    for key, value in fragment.items():
        if key not in into:
            into[key] = value
        elif isinstance(value, dict) and isinstance(into[key], dict):
            _merge(into[key], value, f"{place}/{key}")
        elif into[key] != value:
            raise ValueError(f"two parts of the OpenAPI document differ at {place}/{key}")
