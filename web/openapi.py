"""The OpenAPI 3.1 document, generated from the operations and their models."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from web.operations import Body, Operation, Parameter
from web.problem_answers import ProblemOut
from web.problems import MEDIA_TYPE

_REF = "#/components/schemas/{model}"
_PATH_PARAMETER = re.compile(r"{(\w+)}")
_STATUS = {
    200: "Done",
    201: "Created",
    202: "Accepted",
    400: "Malformed",
    401: "No or an unknown API key",
    404: "There is no such thing",
    408: "The body took too long",
    409: "In conflict with the present state",
    413: "The body is too large",
    415: "Not JSON",
    422: "Not valid; `errors` names the fields",
    503: "Not available at the moment, safe to retry",
}
_WITH_BODY = (400, 408, 413, 415, 422)


def document(operations: Sequence[Operation], version: str) -> dict[str, Any]:
    """The whole document as JSON-ready values."""
    paths: dict[str, Any] = {}
    for operation in operations:
        paths.setdefault(operation.path, {})[operation.method.lower()] = _operation(operation)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Vacancy",
            "version": version,
            "description": "Takes bookings as events on Kafka, and never sells the same night, slot or item twice.",
        },
        "security": [{"bearer": []}, {"apiKey": []}],
        "tags": [{"name": tag} for tag in dict.fromkeys(operation.tag for operation in operations)],
        "paths": paths,
        "components": {
            "schemas": _schemas(operations),
            "securitySchemes": {
                "bearer": {"type": "http", "scheme": "bearer"},
                "apiKey": {"type": "apiKey", "in": "header", "name": "X-API-Key"},
            },
        },
    }


def _operation(operation: Operation) -> dict[str, Any]:
    found: dict[str, Any] = {
        "operationId": operation.name,
        "summary": operation.summary,
        "tags": [operation.tag],
        "responses": _responses(operation),
    }
    in_path = [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}
        for name in _PATH_PARAMETER.findall(operation.path)
    ]
    parameters = in_path + [_parameter(each) for each in operation.parameters]
    if parameters:
        found["parameters"] = parameters
    if operation.request is not None:
        found["requestBody"] = {
            "required": operation.request_required,
            "content": {"application/json": _content(operation.request)},
        }
    if operation.open:
        found["security"] = []
    return found


def _parameter(parameter: Parameter) -> dict[str, Any]:
    return {
        "name": parameter.name,
        "in": parameter.place,
        "description": parameter.description,
        "required": parameter.required,
        "schema": dict(parameter.schema),
    }


def _responses(operation: Operation) -> dict[str, Any]:
    found = {str(status): _answer(status, operation.bodies(status)) for status in operation.answers}
    refused = set(operation.problems)
    if operation.request is not None:
        refused.update(_WITH_BODY)
    if not operation.open:
        refused.add(401)
    for status in sorted(refused):
        described = {"description": _STATUS[status], "content": {MEDIA_TYPE: _content(ProblemOut)}}
        if status == 503:
            described["headers"] = {"Retry-After": {"schema": {"type": "integer"}}}
        found.setdefault(str(status), described)
    return found


def _answer(status: int, bodies: Sequence[Body]) -> dict[str, Any]:
    content: dict[str, Any] = {}
    for body in bodies:
        content |= {body: {}} if isinstance(body, str) else {"application/json": _content(body)}
    found: dict[str, Any] = {"description": _STATUS[status], "content": content}
    if status == 201:
        found["headers"] = {"Location": {"schema": {"type": "string"}}}
    return found


def _content(model: type[BaseModel]) -> dict[str, Any]:
    content: dict[str, Any] = {"schema": {"$ref": _REF.format(model=model.__name__)}}
    extra = model.model_config.get("json_schema_extra")
    if isinstance(extra, dict) and isinstance(extra.get("examples"), list):
        content["examples"] = {f"{n}": {"value": value} for n, value in enumerate(extra["examples"], start=1)}  # type: ignore[arg-type]
    return content


def _schemas(operations: Sequence[Operation]) -> dict[str, Any]:
    taken = {each.request for each in operations if each.request is not None}
    bodies = (body for each in operations for status in each.answers for body in each.bodies(status))
    given = {body for body in bodies if not isinstance(body, str)} | {ProblemOut}
    by_name = sorted([(model, "validation") for model in taken], key=_name) + sorted(
        [(model, "serialization") for model in given], key=_name
    )
    _, schema = models_json_schema(by_name, ref_template=_REF)  # type: ignore[arg-type]
    found: dict[str, Any] = schema["$defs"]
    return found


def _name(entry: tuple[type[BaseModel], str]) -> str:
    return entry[0].__name__
