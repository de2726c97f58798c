// Requests for fragments. The server answers errors with one sentence in plain text.

import { text, viewer } from "./page.js";
import { hasTyped } from "./typed.js";

// Clocks of desks are wrong more often than not: durations count from the server's time. The header
// has whole seconds, so smaller differences are none.
let ahead = 0;
let isReloading = false;
const WAIT_MS = 4000;
const STALE = "X-Stale-Form";
const OTHER = "X-Other-Viewer";
const notices = {
  out: document.getElementById("logged-out"),
  other: document.getElementById("other-viewer"),
};

export function serverNow() {
  return Date.now() + ahead;
}

export class Failure extends Error {
  constructor(status, sentence) {
    super(sentence);
    this.status = status;
  }
}

/** Whether the server can be asked for a page at this moment. */
export async function isThere() {
  const signal = AbortSignal.timeout(WAIT_MS);
  const answer = await fetch(document.body.dataset.healthUrl, { cache: "no-store", signal }).catch(() => null);
  return answer !== null && answer.status < 500;
}

/** The answer to a request. Raises Failure; its message is fit to be shown. */
async function ask(url, options = {}) {
  let response;
  try {
    response = await fetch(url, {
      ...options,
      headers: { Accept: "text/html-partial", "HX-Request": "true", "X-Viewer": viewer, ...options.headers },
    });
  } catch {
    throw new Failure(0, text("offline"));
  }
  const difference = Date.parse(response.headers.get("Date")) - Date.now();
  if (Number.isFinite(difference)) ahead = Math.abs(difference) > 2000 ? difference : 0;
  notMine(response.status === 401 ? "out" : response.headers.has(OTHER) ? "other" : "");
  return response;
}

/** Nobody is logged in any more (out), or somebody else is (other). What was written is worth more
    than a new page: one can log in in another window. */
function notMine(why) {
  if (why && !hasTyped()) {
    if (!isReloading) location.reload();
    isReloading = true;
    return;
  }
  for (const [name, notice] of Object.entries(notices)) if (notice) notice.hidden = name !== why;
}

/** After a log-in in another window this page's forms need that one's token. False: it is somebody
    else who is logged in now, or nobody. */
async function renewToken() {
  const page = await fetch(location.href).catch(() => null);
  if (!page?.ok) return false;
  const fresh = new DOMParser().parseFromString(await page.text(), "text/html");
  const token = fresh.querySelector('meta[name="csrf-token"]')?.content;
  const now = fresh.getElementById("texts")?.dataset.viewer;
  if (now !== viewer) notMine(now ? "other" : "out");
  if (!token || now !== viewer) return false;
  document.querySelector('meta[name="csrf-token"]').content = token;
  for (const field of document.querySelectorAll("input[name=csrf_token]")) field.value = token;
  return true;
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

/** What a form has made it makes once (panel/once.py): the same entries sent again are to be a second
    one from now on. Another form to the same place may still wait for its answer: it keeps its key. */
function renewKey(url, sent) {
  if (!sent) return;
  const place = new URL(url, location.href).pathname;
  const key = String.fromCharCode(...crypto.getRandomValues(new Uint8Array(12)));
  for (const field of document.querySelectorAll("input[name=form_key]")) {
    if (field.value === sent && new URL(field.form.action).pathname === place) field.value = btoa(key);
  }
}

/** Posts a form's values; the whole response. */
export async function post(url, values) {
  const body = values instanceof FormData ? values : new URLSearchParams(values);
  const response = await posted(url, body);
  if (response.ok) renewKey(url, body.get("form_key"));
  return response;
}

async function posted(url, body) {
  const token = () => document.querySelector('meta[name="csrf-token"]')?.content ?? "";
  const sent = () => ask(url, { method: "POST", body, headers: { "X-CSRFToken": token() } });
  const response = await sent();
  if (response.status !== 400 || !response.headers.has(STALE) || !(await renewToken())) return response;
  if (body.has("csrf_token")) body.set("csrf_token", token());
  return sent();
}

/** Posts, and gives the HTML of the answer. */
export async function send(url, values) {
  const response = await post(url, values);
  if (!response.ok) throw await failure(response);
  return response.text();
}
