"use strict";
// Speaks to the public API like any other client. Texts from the server are set as text, never as markup.

const at = (id) => document.getElementById(id);
let key = sessionStorage.getItem("vacancy-key") || "";
let shown = null; // the booking whose way is on the page

async function call(method, path, body) {
  const headers = { Authorization: `Bearer ${key}` };
  if (body !== undefined) headers["Content-Type"] = "application/json";
  if (method === "POST") headers["Idempotency-Key"] = crypto.randomUUID();
  const answer = await fetch(path, { method, headers, body: body === undefined ? undefined : JSON.stringify(body) });
  const data = await answer.json();
  if (!answer.ok) throw new Error(explain(data));
  return data;
}

function explain(problem) {
  const fields = (problem.errors || []).map((error) => `${error.field}: ${error.message}`);
  return fields.length ? fields.join("\n") : problem.detail || problem.title;
}

function pill(element, text, kind) {
  element.textContent = text;
  element.className = `pill ${kind || ""}`;
}

async function attempt(button, work) {
  at("message").textContent = key ? "" : "Enter the API key first.";
  if (!key) return at("key").focus();
  button.disabled = true;
  try {
    await work();
  } catch (error) {
    at("message").textContent = error.message;
  } finally {
    button.disabled = false;
  }
}

// --- status and counters ---

async function refresh() {
  try {
    const ready = await fetch("/readyz");
    const health = await ready.json();
    pill(at("status"), ready.ok ? "ready" : `waiting for ${health.waiting_for.join(", ")}`, ready.ok ? "good" : "");
    count(await (await fetch("/metrics")).text());
  } catch {
    pill(at("status"), "not reachable", "bad");
  }
}

function count(text) {
  const totals = { accepted: 0, refused: 0, reads: 0, errors: 0 };
  for (const line of text.split("\n")) {
    const found = line.match(/^vacancy_http_requests_total\{(.*)\} (\S+)$/);
    if (!found) continue;
    const label = (name) => (found[1].match(new RegExp(`${name}="([^"]*)"`)) || [])[1] || "";
    const [status, value] = [Number(label("status")), Number(found[2])];
    if (!label("route").startsWith("/api/")) continue;
    if (status >= 500) totals.errors += value;
    else if (status >= 400) totals.refused += value;
    else if (status === 201 && !label("route").includes("refunds")) totals.accepted += value;
    else if (label("method") === "GET") totals.reads += value;
  }
  for (const [name, value] of Object.entries(totals)) {
    document.querySelector(`[data-counter="${name}"]`).textContent = value.toLocaleString();
  }
}

// --- one booking and its way ---

const OUTCOMES = { CONFIRMED: "good", COMPLETED: "good", PENDING: "" };

function show(booking) {
  at("way").hidden = false;
  at("number").textContent = booking.confirmation_number;
  at("price").textContent = `${booking.price.amount} ${booking.price.currency}`;
  const kept = booking.cancellation ? ` (refund ${booking.cancellation.refund.amount})` : "";
  const text = booking.status + (booking.reason ? `: ${booking.reason}` : "") + kept;
  pill(at("outcome"), text, OUTCOMES[booking.status] ?? "bad");
  at("cancel").hidden = !["PENDING", "CONFIRMED"].includes(booking.status);
}

async function showTimeline(id) {
  const { events } = await call("GET", `/api/reservations/${id}/timeline`);
  at("timeline").replaceChildren(...events.map((event) => {
    const item = document.createElement("li");
    const cells = [["time", new Date(event.at).toLocaleTimeString()], ["span", event.event_type], ["small", event.source]];
    for (const [tag, text] of cells) item.appendChild(document.createElement(tag)).textContent = text;
    return item;
  }));
}

async function follow(id) {
  shown = id;
  let calm = 0; // after the outcome, the money still has a way to go
  while (shown === id && calm < 3) {
    const booking = await call("GET", `/api/reservations/${id}?wait=${calm ? 0 : 2}`);
    if (shown !== id) return;
    show(booking);
    await showTimeline(id);
    if (booking.status !== "PENDING") {
      calm += 1;
      await new Promise((done) => setTimeout(done, 700));
    }
  }
}

function request() {
  const field = Object.fromEntries(new FormData(at("book-form")));
  return {
    property_id: field.property_id,
    unit_type: field.unit_type,
    check_in: field.check_in,
    check_out: field.check_out,
    quantity: Number(field.quantity),
    guest: { email: field.email, first_name: field.first_name, last_name: field.last_name },
    payment_method: { token: field.token },
  };
}

at("book-form").addEventListener("submit", (event) => {
  event.preventDefault();
  attempt(at("book"), async () => {
    const opened = await call("POST", "/api/reservations", request());
    show(opened);
    at("timeline").replaceChildren();
    await follow(opened.booking_id);
  });
});

at("declare").addEventListener("click", () => attempt(at("declare"), async () => {
  const { property_id, unit_type } = request();
  const path = `/api/properties/${encodeURIComponent(property_id)}/units/${encodeURIComponent(unit_type)}`;
  await call("PUT", path, { capacity: 5, base_price: { amount: "100.00", currency: "EUR" } });
}));

at("cancel").addEventListener("click", () => attempt(at("cancel"), async () => {
  const id = shown;
  show(await call("POST", `/api/reservations/${id}/cancel`, { reason: "cancelled on the dashboard" }));
  await follow(id);
}));

// --- the key ---

function useKey(value) {
  key = value;
  if (key) sessionStorage.setItem("vacancy-key", key);
  else sessionStorage.removeItem("vacancy-key");
  at("key").value = "";
  at("key").placeholder = key ? "in use" : "api_key of DIR/vacancy.json";
  at("forget").hidden = !key;
}

at("key-form").addEventListener("submit", (event) => {
  event.preventDefault();
  useKey(at("key").value.trim());
});
at("forget").addEventListener("click", () => useKey(""));

function inDays(days) {
  const date = new Date(Date.now() + days * 86_400_000);
  return date.toISOString().slice(0, 10);
}

document.querySelector("[name=check_in]").value = inDays(30);
document.querySelector("[name=check_out]").value = inDays(32);
useKey(key);
refresh();
setInterval(refresh, 3000);
