"use strict";
// The local inbox: what guests were told. It is there while mail goes nowhere else; elsewhere its section stays hidden.

const SHOWN = 10;
let told = ""; // what is on the page, so that an open message stays open while nothing new comes

async function refreshInbox() {
  if (!key) {
    at("inbox").hidden = true;
    return;
  }
  try {
    const messages = await call("GET", `/dev/inbox?limit=${SHOWN}`);
    at("inbox").hidden = false;
    const now = messages.map((message) => message.message_id).join();
    if (now === told && told) return;
    told = now;
    at("messages").replaceChildren(...(messages.length ? messages.map(folded) : [nothingYet()]));
  } catch {
    at("inbox").hidden = true;
  }
}

function folded(message) {
  const [folding, line, text] = ["details", "summary", "pre"].map((tag) => document.createElement(tag));
  const channel = message.channel === "sms" ? "text message" : "mail";
  for (const [tag, said] of [
    ["time", new Date(message.at).toLocaleTimeString()],
    ["span", message.subject || message.text],
    ["small", `${channel} to ${message.to}`],
  ]) line.appendChild(document.createElement(tag)).textContent = said;
  text.textContent = message.text;
  folding.append(line, text);
  return folding;
}

function nothingYet() {
  const line = document.createElement("p");
  line.className = "hint";
  line.textContent = "Nothing yet: book a room.";
  return line;
}

refreshInbox();
setInterval(refreshInbox, 3000);
