"""How a clinic's patients book: a quarter of an hour of a doctor's time, and what the visit leaves behind."""

from __future__ import annotations

import zlib
from typing import Any

from cli.client import Booking, GatewayClient, Stay, Wish
from cli.houses import PLAIN
from cli.traffic import Kind
from cli.visit import COMMON, Travels, Visit, afterwards, unless_refused


async def _another_reason(visit: Visit, booking: Booking) -> Booking:
    return await unless_refused(visit, booking, {"reason": "headache"})


async def _come(visit: Visit, booking: Booking) -> Booking:
    await _record(visit.client, visit.stay, visit.key)
    return await visit.client.get(visit.path, booking.booking_id)


_TRAVELS: Travels = {**COMMON, "change": afterwards(_another_reason), "stay": afterwards(_come)}


class Practice:
    """A quarter of an hour of a doctor's time, and what the visit leaves behind."""

    pays = False
    travels = _TRAVELS

    async def declare(self, client: GatewayClient) -> None:
        for unit in PLAIN:
            await client.put(f"/api/practitioners/{_doctor(unit.property_id, unit.unit_type)}", {"capacity": 1})

    def wish(self, stay: Stay, kind: Kind = "book") -> Wish:
        slot = zlib.crc32(stay.email.encode()) % 32 if stay.unit_type != "single" else 0
        body = {
            "patientId": _patient(stay),
            "doctorId": _doctor(stay.property_id, stay.unit_type),
            "date": stay.check_in,
            "time": f"{9 + slot // 4:02}:{slot % 4 * 15:02}",
            "reason": "check-up",
            "visitType": "virtual" if slot % 3 == 0 else "in_person",
        }
        return Wish("/api/appointments", body)


async def _record(client: GatewayClient, stay: Stay, key: str) -> None:
    who: dict[str, Any] = {"patientId": _patient(stay), "doctorId": _doctor(stay.property_id, stay.unit_type)}
    day = str(stay.check_in)
    drug = {"medication": "Amoxicillin", "dosage": "500 mg", "frequency": "three times a day"}
    until = {"startDate": day, "endDate": str(stay.check_out)}
    await client.post("/api/prescriptions", {**who, **drug, **until}, key=f"{key}-prescription")
    finding = {"recordType": "diagnosis", "description": "otitis media", "recordDate": day}
    await client.post("/api/health-records", {**who, **finding}, key=f"{key}-record")
    await _order(client, stay, key)


async def _order(client: GatewayClient, stay: Stay, key: str) -> None:
    order_id = f"{key}-order"
    body = {
        "orderId": order_id,
        "patientId": _patient(stay),
        "pharmacyId": "PHARMACY-1",
        "totalPrice": 19.8,
        "orderDate": f"{stay.check_in}T10:00:00",
        "deliveryDate": f"{stay.check_out}T10:00:00",
        "items": [{"productId": "amoxicillin-500", "quantity": 2, "price": 9.9}],
    }
    await client.post("/api/pharmacy-orders", body, key=f"{key}-pharmacy")
    for status in ("processing", "shipped", "delivered"):
        await client.patch(f"/api/pharmacy-orders/{order_id}", {"status": status})


def _patient(stay: Stay) -> str:
    return stay.email.partition("@")[0]


def _doctor(property_id: str, unit_type: str) -> str:
    return f"DR-{property_id}-{unit_type}"
