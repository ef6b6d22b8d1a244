"""The clinic's records beside its appointments: prescriptions, pharmacy orders and health records.

All three are opened, read, changed and cancelled alike. What the document shows of one is sealed as a whole; a change
is merged here into what the row has, and the row takes it only if nobody else changed it in between.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

import msgspec
from aiohttp import web
from aiohttp.typedefs import Handler

from domain.records import Record, decide
from streams.events.records import Action, ChangeRecord, OpenRecord, RecordKind
from streams.services import RECORD
from tables.records import row_key
from web import record_models as models
from web.bodies import check, parse, read_json
from web.context import SOURCE, Context, context_of, correlation_of, principal_of
from web.models import CancelRequest, Request
from web.operations import AT, IDEMPOTENCY_KEY, Operation
from web.owners import OwnerUnavailable
from web.problems import Problem, invalid, not_found
from web.record_answers import HealthRecordOut, OrderRecordOut, PrescriptionOut, RecordOut, record_out
from web.requests import at_of, id_of_request, name_in_path

_canonical = msgspec.json.Encoder(order="sorted").encode
_record = msgspec.json.Decoder(Record)


@dataclass(frozen=True, slots=True)
class Collection:
    """One kind of record: where it is found, what the document calls its id, and what it takes and answers."""

    path: str
    kind: RecordKind
    what: str
    id_field: str
    request: type[Request]
    content: type[Request]
    change: type[Request]
    answer: type[RecordOut]

    async def open_record(self, request: web.Request) -> web.Response:
        body = await read_json(request)
        asked: Any = check(self.request, body)
        derived_id, _ = id_of_request(request, principal_of(request))
        given = getattr(asked, self.id_field)
        content = asked.model_dump(include=set(self.content.model_fields), exclude_none=True)
        event = OpenRecord(
            record_id=given or derived_id,
            kind=self.kind,
            user_id=asked.patientId,
            content=await _sealed(context_of(request), asked.patientId, content),
            status=getattr(asked, "status", "created"),
            fingerprint=hashlib.sha256(request.path.encode() + b"\n" + _canonical(body)).hexdigest(),
        )
        row = await _appended(request, event)
        if row.fingerprint != event.fingerprint:
            raise _taken(self.id_field) if given else _key_reused()
        return await self._answer(request, row, 201)

    async def get_record(self, request: web.Request) -> web.Response:
        return await self._answer(request, await self._known(request))

    async def change_record(self, request: web.Request) -> web.Response:
        """Answers once the row has the change; one that came at the same time as another is 409, and safe to repeat."""
        body = await read_json(request)
        asked: Any = check(self.change, body)
        if not asked.model_fields_set:
            raise invalid("body", f"has nothing to change; send one of {', '.join(self.change.model_fields)}")
        status, row = getattr(asked, "status", None), await self._known(request)
        named = {name: value for name, value in body.items() if name != "status"}
        if not named and status in (None, row.status):
            return await self._answer(request, row)
        change = ChangeRecord(
            record_id=row.record_id,
            kind=self.kind,
            action=self._action(row, status),
            user_id=row.user_id,
            revision=row.revision + 1,
            content=await self._merged(context_of(request), row, named) if named else None,
            status=status,
        )
        if decide(row, change, context_of(request).clock()).state is row:
            raise self._refused(row, "changed", f" to {status}" if status else "")
        after = await _appended(request, change)
        expected = (change.revision, change.action, change.content or row.content)
        if (after.revision, after.action, after.content) != expected:
            raise Problem(409, "changed-meanwhile", "Another change was faster", f"Look at the {self.what} and retry.")
        return await self._answer(request, after)

    async def cancel_record(self, request: web.Request) -> web.Response:
        """Cancels, and answers once the row says so. Asked again, it answers the same. The reason stays on the log."""
        asked = check(CancelRequest, await read_json(request) if request.can_read_body else {})
        row, context = await self._known(request), context_of(request)
        if row.action != "cancelled":
            change = ChangeRecord(record_id=row.record_id, kind=self.kind, action="cancelled", user_id=row.user_id)
            if decide(row, change, context.clock()).state is not row:
                # Of a patient's record everything is sealed, a reason too.
                reason = await context.keyring.seal(row.user_id, asked.reason)
                row = await _appended(request, change, {"reason": reason})
        if row.action != "cancelled":
            raise self._refused(row, "cancelled")
        return await self._answer(request, row)

    def _action(self, row: Record, status: str | None) -> Action:
        """An order's last steps have actions of their own."""
        if self.kind == "order" and status != row.status:
            match status:
                case "shipped" | "delivered":
                    return status
        return "updated"

    async def _merged(self, context: Context, row: Record, named: Mapping[str, Any]) -> str:
        """What the row has with what is `named` in its place, checked as a whole and sealed."""
        before = await context.keyring.unseal(row.user_id, row.content)
        if before is None:
            raise Problem(409, "patient-erased", "The patient was erased", "Nothing can be changed any more.")
        content = check(self.content, {**parse(before.encode()), **named})
        return await _sealed(context, row.user_id, content.model_dump(exclude_none=True))

    async def _known(self, request: web.Request) -> Record:
        """The record of the path as `?at` asks for it. Raises Problem 404."""
        record_id, at = name_in_path(request, "record_id"), at_of(request)
        found = await context_of(request).rows.row(RECORD.name, record_id, row_key(record_id), at=at)
        row = _record.decode(found) if found is not None else None
        if row is None or row.kind != self.kind:
            raise not_found(self.what)
        return row

    def _refused(self, row: Record, done: str, how: str = "") -> Problem:
        now = "cancelled" if row.action == "cancelled" else row.status
        detail = f"A {self.what} that is {now} cannot be {done}{how}."
        return Problem(409, f"not-{done}", f"Cannot be {done}", detail, more={"record_status": row.status})

    async def _answer(self, request: web.Request, row: Record, status: int = 200) -> web.Response:
        clear = await context_of(request).keyring.unseal(row.user_id, row.content)
        content: dict[str, Any] = json.loads(clear, parse_float=Decimal) if clear is not None else {}
        body = record_out(row, self.path, self.id_field, self.content.model_fields, content)
        headers = {"Location": body["links"]["self"]} if status == 201 else {}
        return web.json_response(body, status=status, headers=headers)

    def operations(self) -> tuple[Operation, ...]:
        """The kind's endpoints."""
        every, one, ok = f"/api/{self.path}", f"/api/{self.path}/{{record_id}}", {200: self.answer}

        def operation(method: str, path: str, handler: Handler, summary: str, **more: Any) -> Operation:
            return Operation(method, path, handler, summary, self.path, **{"answers": ok, **more})

        return (
            operation(
                "POST",
                every,
                self.open_record,
                f"Open a {self.what}",
                answers={201: self.answer},
                request=self.request,
                parameters=(IDEMPOTENCY_KEY,),
                problems=(409, 503),
            ),
            operation(
                "GET", one, self.get_record, f"A {self.what} as it stands", parameters=(AT,), problems=(404, 422, 503)
            ),
            operation(
                "PATCH", one, self.change_record, f"Change a {self.what}", request=self.change, problems=(404, 409, 503)
            ),
            operation(
                "POST",
                f"{one}/cancel",
                self.cancel_record,
                f"Cancel a {self.what}",
                request=CancelRequest,
                request_required=False,
                problems=(404, 409, 503),
            ),
        )


async def _sealed(context: Context, patient_id: str, content: Mapping[str, Any]) -> str:
    return await context.keyring.seal(patient_id, json.dumps(content, ensure_ascii=False, default=_plain))


def _plain(value: Any) -> Any:
    """Dates as ISO texts, sums as numbers: as the document shows them."""
    return value.isoformat() if isinstance(value, date) else float(value)


async def _appended(
    request: web.Request, event: OpenRecord | ChangeRecord, metadata: Mapping[str, Any] | None = None
) -> Record:
    """The row once it has decided on `event`."""
    context, record_id = context_of(request), event.record_id
    appended = await context.log.append(event, source=SOURCE, correlation_id=correlation_of(request), metadata=metadata)
    found = await context.rows.row(RECORD.name, record_id, row_key(record_id), after=appended.offset)
    if found is None:  # decided and yet not there: the request itself was refused as poison, which is our fault
        raise OwnerUnavailable(record_id)
    return _record.decode(found)


def _taken(field: str) -> Problem:
    return Problem(409, "record-exists", "There is such a record", f"{field}: was opened by another request.")


def _key_reused() -> Problem:
    return Problem(422, "idempotency-key-reused", "The Idempotency-Key was used for another request")


COLLECTIONS = (
    Collection(
        "prescriptions",
        "prescription",
        "prescription",
        "prescriptionId",
        models.PrescriptionRequest,
        models.PrescriptionContent,
        models.PrescriptionChange,
        PrescriptionOut,
    ),
    Collection(
        "pharmacy-orders",
        "order",
        "pharmacy order",
        "orderId",
        models.OrderRecordRequest,
        models.OrderContent,
        models.OrderRecordChange,
        OrderRecordOut,
    ),
    Collection(
        "health-records",
        "health",
        "health record",
        "recordId",
        models.HealthRecordRequest,
        models.HealthContent,
        models.HealthRecordChange,
        HealthRecordOut,
    ),
)
OPERATIONS = tuple(operation for collection in COLLECTIONS for operation in collection.operations())
