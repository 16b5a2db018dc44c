"""The OpenAPI description of the routes that are plain ASGI and so unknown to the framework."""

from typing import Any

from chimney.table.unpack import JSON, PROTOBUF, Signal

_ANSWERS = {
    "200": "Durable. With `partial_success` when some rows could not be kept: how many, and why",
    "400": "Not an OTLP request: do not send it again",
    "401": "Without the token of CHIMNEY_TABLE_OTLP_TOKEN",
    "403": "Sent by a page of another site",
    "408": "The body was not here within 20 seconds",
    "413": "More than 16 MiB, as sent or as unzipped: send smaller batches",
    "415": "Neither protobuf nor JSON, or another Content-Encoding than gzip",
    "503": "More than can be stored, or nothing can be stored: send it again after `Retry-After`",
}


def paths() -> dict[str, Any]:
    from litestar.openapi.spec import (  # noqa: PLC0415
        OpenAPIMediaType,
        OpenAPIResponse,
        Operation,
        PathItem,
        RequestBody,
        Schema,
    )
    from litestar.openapi.spec.enums import OpenAPIFormat, OpenAPIType  # noqa: PLC0415

    def item(signal: Signal) -> PathItem:
        content = {
            PROTOBUF: OpenAPIMediaType(schema=Schema(type=OpenAPIType.STRING, format=OpenAPIFormat.BINARY)),
            JSON: OpenAPIMediaType(schema=Schema(type=OpenAPIType.OBJECT)),
        }
        body = RequestBody(
            content=content, description="Export request of OTLP/HTTP, optionally gzipped", required=True
        )
        responses = {status: OpenAPIResponse(description=said) for status, said in _ANSWERS.items()}
        operation = Operation(
            summary=f"Takes {signal} as OTLP",
            tags=["otlp"],
            operation_id=f"otlp_{signal}",
            request_body=body,
            responses=dict(responses),
        )
        return PathItem(post=operation)

    asked = Operation(
        summary="The table as tools for assistants, over the Model Context Protocol",
        tags=["mcp"],
        operation_id="mcp",
        request_body=RequestBody(content={JSON: OpenAPIMediaType(schema=Schema(type=OpenAPIType.OBJECT))}),
        responses={
            "200": OpenAPIResponse(description="JSON-RPC, one answer"),
            "401": OpenAPIResponse(description="Without an API token"),
        },
    )
    return {**{f"/v1/{signal}": item(signal) for signal in Signal}, "/mcp": PathItem(post=asked)}
