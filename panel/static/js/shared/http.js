// Requests for fragments. The server answers errors with one sentence in plain text.

import { text } from "./page.js";

// Clocks of desks are wrong more often than not: durations count from the server's time. The header
// has whole seconds, so smaller differences are none.
let ahead = 0;

export function serverNow() {
  return Date.now() + ahead;
}

export class Failure extends Error {
  constructor(status, sentence) {
    super(sentence);
    this.status = status;
  }
}

/** The answer to a request. Raises Failure; its message is fit to be shown. */
async function ask(url, options = {}) {
  let response;
  try {
    response = await fetch(url, {
      ...options,
      headers: { Accept: "text/html-partial", "HX-Request": "true", ...options.headers },
    });
  } catch {
    throw new Failure(0, text("offline"));
  }
  const difference = Date.parse(response.headers.get("Date")) - Date.now();
  if (Number.isFinite(difference)) ahead = Math.abs(difference) > 2000 ? difference : 0;
  if (response.status === 401) location.reload();
  return response;
}

async function failure(response) {
  const plain = response.headers.get("Content-Type")?.startsWith("text/plain");
  return new Failure(response.status, (plain && (await response.text())) || text("failed"));
}

/** The HTML at url. */
export async function fragment(url) {
  const response = await ask(url);
  if (!response.ok) throw await failure(response);
  return response.text();
}

/** Posts a form's values; the whole response. */
export function post(url, values) {
  const token = document.querySelector('meta[name="csrf-token"]')?.content ?? "";
  const body = values instanceof FormData ? values : new URLSearchParams(values);
  return ask(url, { method: "POST", body, headers: { "X-CSRFToken": token } });
}

/** Posts, and gives the HTML of the answer. */
export async function send(url, values) {
  const response = await post(url, values);
  if (!response.ok) throw await failure(response);
  return response.text();
}
