"""Litestar, set up once for both roles: error shape, body rules, OpenAPI."""

import re
from collections.abc import Mapping, Sequence
from typing import Any, cast

from litestar import Litestar, Request, Response
from litestar.connection import ASGIConnection
from litestar.datastructures import Headers
from litestar.enums import ParamType
from litestar.exceptions import (
    HTTPException,
    MethodNotAllowedException,
    NotFoundException,
    ValidationException,
)
from litestar.handlers import BaseRouteHandler
from litestar.openapi import OpenAPIConfig
from litestar.openapi.plugins import JsonRenderPlugin
from litestar.openapi.spec import Contact, License, PathItem
from litestar.types import ExceptionHandlersMap

from chimney.web.asgi import Scope
from chimney.web.problem import MEDIA_TYPE, ProblemError, method_not_allowed, not_found
from chimney.web.record import record_of
from chimney.web.recover import Recover, internal_error
from chimney.wire.problem import Fault

BODY_LIMIT = 1024 * 1024
_SLUGS = {400: "malformed", 401: "unauthorized", 403: "forbidden", 413: "too-large", 415: "not-json"}
_MISSING = re.compile(r"Missing required (\w+) parameter '([^']+)'")
AnyRequest = Request[Any, Any, Any]


def _answer(error: ProblemError, request: AnyRequest) -> Response[bytes]:
    return Response(
        error.body(record_of(cast("Scope", request.scope)).request_id),
        status_code=error.status,
        media_type=MEDIA_TYPE.decode(),
        headers={
            "cache-control": "no-store",
            **{name.decode(): value.decode() for name, value in error.headers},
        },
    )


def _faults(error: ValidationException) -> list[Fault]:
    extra = error.extra if isinstance(error.extra, list) else []
    rows = [row for row in extra if isinstance(row, dict) and "key" in row]
    faults = [Fault(path=_path(row.get("source"), row["key"]), detail=str(row.get("message"))) for row in rows]
    return [Fault(path="$", detail="is missing") if one.detail == "'data'" else one for one in faults]


def _fault(detail: str) -> Fault:
    """Of an exception that names no place: a parameter that is not there, or a body that cannot be read."""
    if missing := _MISSING.match(detail):
        return Fault(path=f"{missing[1]}.{missing[2]}", detail="is missing")
    return Fault(path="$", detail=f"is not JSON: {detail}")


def _path(source: ParamType | str | None, key: str) -> str:
    """`query.limit`, or for the body `$.revision`; Litestar calls the whole body `data`."""
    name = source.value if isinstance(source, ParamType) else source
    if name and name != "body":
        return f"{name}.{key}"
    return "$" if key == "data" else f"$.{key}"


def as_problem(error: HTTPException, request: AnyRequest) -> ProblemError:
    """Litestar's own exceptions in our shape."""
    if isinstance(error, NotFoundException):
        return not_found(request.url.path)
    if isinstance(error, MethodNotAllowedException):
        allowed = {word.strip() for word in Headers(error.headers).get("allow", "").split(",")}
        return method_not_allowed(
            record_of(cast("Scope", request.scope)).method, sorted(allowed | ({"HEAD"} if "GET" in allowed else set()))
        )
    headers = [(name.encode(), value.encode()) for name, value in (error.headers or {}).items()]
    faults = _faults(error) if isinstance(error, ValidationException) else []
    if error.status_code == 400 and not faults:
        faults = [_fault(error.detail)]
    detail = "; ".join(f"{fault.path}: {fault.detail}" for fault in faults) or error.detail
    slug = _SLUGS.get(error.status_code, "malformed")
    return ProblemError(error.status_code, slug, detail, errors=faults, headers=headers)


def json_only(connection: ASGIConnection[Any, Any, Any, Any], _handler: BaseRouteHandler) -> None:
    """Guard for every unsafe method: a body that is not said to be JSON is refused, also as a fence against forms."""
    if cast("Scope", connection.scope)["method"] in ("GET", "HEAD", "OPTIONS", "DELETE"):
        return
    content_type = connection.headers.get("content-type", "").partition(";")[0].strip().lower()
    if content_type != "application/json":
        raise ProblemError(415, "not-json", f"Send Content-Type: application/json, not {content_type or 'nothing'!r}.")


def build(
    handlers: Sequence[Any],
    *,
    title: str,
    version: str,
    recover: Recover,
    extra_paths: Mapping[str, PathItem],
) -> Litestar:
    def on_error(request: AnyRequest, error: Exception) -> Response[bytes]:
        if isinstance(error, ProblemError):
            recover.tell(error, cast("Scope", request.scope))
            return _answer(error, request)
        if isinstance(error, HTTPException) and error.status_code < 500:
            return _answer(as_problem(error, request), request)
        if isinstance(error, RecursionError):
            return _answer(ProblemError(400, "malformed", "The body is nested too deeply."), request)
        recover.note(error, cast("Scope", request.scope))
        return _answer(internal_error(), request)

    on_errors: ExceptionHandlersMap = {
        Exception: on_error,
        HTTPException: on_error,
        404: on_error,
        405: on_error,
    }
    app = Litestar(
        list(handlers),
        guards=[json_only],
        exception_handlers=on_errors,
        logging_config=None,
        request_max_body_size=BODY_LIMIT,
        openapi_config=OpenAPIConfig(
            title=title,
            version=version,
            path="/api/schema",
            license=License(name="Apache-2.0", identifier="Apache-2.0"),
            contact=Contact(name="chimney"),
            use_handler_docstrings=True,
            render_plugins=[JsonRenderPlugin()],  # an empty list means pages with scripts of other hosts
        ),
    )
    if app.openapi_schema.paths is not None:
        app.openapi_schema.paths.update(extra_paths)
    return app
