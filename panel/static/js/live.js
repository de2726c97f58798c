// The stream of news. Others listen to what it tells: trichter:deal, trichter:call, trichter:contact,
// trichter:request, trichter:task, trichter:funnel, trichter:reconnected.

import { loadAnew } from "./shared/anew.js";
import { fragment } from "./shared/http.js";
import { emit, viewer } from "./shared/page.js";
import { atRandom } from "./shared/soon.js";

const { liveUrl, popupsUrl } = document.body.dataset;
const mark = document.getElementById("connection");
const MARK_MS = 5000;
const RETRY_MS = 5000;
const HIDDEN_MS = 60_000;
const RELOAD_PAUSE_MS = 60_000;
// The server lets itself be heard every 15 seconds: a line this quiet is dead.
const SILENCE_MS = 40_000;

let source = null;
let lastId = "";
// Milliseconds over which all windows together are to spread what they ask for after a gap.
let spread = 0;
let wasOpen = false;
let markTimer = 0;
let retryTimer = 0;
let hiddenTimer = 0;
let silenceTimer = 0;
let asleep = null;

function connect() {
  disconnect();
  const address = new URL(liveUrl, location.href);
  if (lastId) address.searchParams.set("last", lastId);
  if (viewer) address.searchParams.set("viewer", viewer);
  source = new EventSource(address);
  source.addEventListener("open", opened);
  source.addEventListener("error", lost);
  source.addEventListener("message", beat);
  source.addEventListener("deal", tell);
  source.addEventListener("contact", tell);
  source.addEventListener("call", tell);
  source.addEventListener("request", tell);
  source.addEventListener("task", tell);
  source.addEventListener("funnel", tell);
  source.addEventListener("reload", behind);
  // Too many windows: this one was the oldest. It connects again when somebody looks at it.
  source.addEventListener("closed", () => {
    disconnect();
    showMark();
  });
}

function disconnect() {
  clearTimeout(retryTimer);
  clearTimeout(silenceTimer);
  source?.close();
  source = null;
}

function heard() {
  clearTimeout(silenceTimer);
  silenceTimer = setTimeout(silent, SILENCE_MS);
}

/** Nothing tells a browser that a cable was pulled somewhere on the way. */
function silent() {
  showMark();
  connect();
}

function beat({ lastEventId, data }) {
  lastId = lastEventId;
  spread = Number(data);
  heard();
}

function opened() {
  heard();
  clearTimeout(markTimer);
  markTimer = 0;
  if (mark) mark.hidden = true;
  document.documentElement.dataset.live = "on";
  if (wasOpen) emit("reconnected", { spread });
  wasOpen = true;
}

function showMark() {
  clearTimeout(markTimer);
  markTimer = 0;
  if (mark && !document.hidden) mark.hidden = false;
  document.documentElement.dataset.live = "off";
}

function lost() {
  markTimer ||= setTimeout(showMark, MARK_MS);
  // After an answer other than a stream the browser gives up; a dead connection it retries itself.
  if (source?.readyState !== EventSource.CLOSED) return;
  clearTimeout(retryTimer);
  retryTimer = setTimeout(retry, RETRY_MS + atRandom(2 * spread));
}

async function retry() {
  // Asks for something small first: logged out, that leads to the log-in.
  await fragment(popupsUrl).catch(() => {});
  connect();
}

function tell(message) {
  lastId = message.lastEventId;
  heard();
  emit(message.type, JSON.parse(message.data));
}

/** Too much was missed: load the page again, but not while somebody types, and not in a loop. */
function behind(message) {
  lastId = message.lastEventId;
  const last = Number(sessionStorage.getItem("trichter.reloaded"));
  const { spread: pause } = JSON.parse(message.data);
  if (Date.now() - last < RELOAD_PAUSE_MS) emit("reconnected", { spread: pause });
  else setTimeout(() => loadAnew(), atRandom(pause));
}

function visibility() {
  clearTimeout(hiddenTimer);
  // Browsers allow six connections to a server: a window that nobody sees gives its own back.
  if (document.hidden) hiddenTimer = setTimeout(rest, HIDDEN_MS);
  else wake();
}

/** Of the windows that nobody sees one goes on listening, where calls are to be told of. */
function rest() {
  disconnect();
  if (globalThis.Notification?.permission !== "granted" || !navigator.locks) return;
  const { signal } = (asleep = new AbortController());
  const listen = () =>
    new Promise((release) => {
      connect();
      signal.addEventListener("abort", release);
    });
  // It is refused when the window wakes before its turn: nothing is left to do then.
  navigator.locks.request("trichter.background", { signal }, listen).catch(() => {});
}

function wake() {
  asleep?.abort();
  asleep = null;
  if (!source) connect();
}

function start() {
  connect();
  document.addEventListener("visibilitychange", visibility);
  addEventListener("offline", lost);
  addEventListener("online", connect);
  addEventListener("pagehide", disconnect);
  addEventListener("pageshow", (event) => event.persisted && connect());
}

// News is told once: by then all scripts of the page are there to hear it.
if (liveUrl) document.addEventListener("DOMContentLoaded", start);
