"""The OpenAPI description of the routes that are plain ASGI and so unknown to the framework."""

from collections.abc import Mapping
from typing import Any


def paths() -> dict[str, Any]:
    from litestar.openapi.spec import OpenAPIResponse, Operation, Parameter, PathItem, Schema  # noqa: PLC0415
    from litestar.openapi.spec.enums import OpenAPIType  # noqa: PLC0415

    text = Schema(type=OpenAPIType.STRING)

    def described(description: str) -> OpenAPIResponse:
        return OpenAPIResponse(description=description)

    def item(summary: str, tag: str, responses: Mapping[str, OpenAPIResponse], *names: str) -> PathItem:
        parameters = [Parameter(name=name, param_in="path", required=True, schema=text) for name in names]
        return PathItem(
            get=Operation(
                summary=summary,
                tags=[tag],
                operation_id=summary.replace(" ", "_"),
                parameters=parameters or None,  # type: ignore[arg-type]
                responses=dict(responses),
            )
        )

    listed = {"200": described("Those that this request may see")}
    proxied = {
        "200": described("GitHub's answer, stored or new; Cache-Status and Age say which"),
        "304": described("What If-None-Match names is still good"),
        "400": described("A query parameter that is not taken, or out of bounds"),
        "404": described("Not in the grammar of what may be asked, or not there"),
        "503": described("GitHub asks us to wait, and nothing is stored"),
        "504": described("GitHub does not answer, and nothing is stored"),
    }
    taken = {
        "202": described("Kept; `duplicate` says that it was known"),
        "400": described("Signed, but not a delivery: the fault is named"),
        "401": described("Not signed with CHIMNEY_WEBHOOK_SECRET"),
        "408": described("Not here within ten seconds"),
        "413": described("More than 25 MiB"),
        "503": described("No secret is configured, or it could not be kept"),
    }
    told = Operation(summary="A delivery of GitHub", tags=["webhooks"], operation_id="webhook", responses=dict(taken))
    alive = {"200": described("Yes"), "503": described("Not yet, or not any more")}
    return {
        "/api/github/org/repos": item("The watched repositories as GitHub has them", "github", listed),
        "/api/github/{path}": item("GitHub below the main repository", "github", proxied, "path"),
        "/api/v3/{path}": item("GitHub by full paths", "github", proxied, "path"),
        "/api/webhooks/github": PathItem(post=told),
        "/livez": item("Whether the process answers", "health", {"200": described("Yes")}),
        "/readyz": item("Whether visitors may be sent here", "health", alive),
    }
