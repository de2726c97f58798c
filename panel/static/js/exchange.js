// The page of the exchange: asks for itself again when a call changes, and every few seconds for the
// phones and queues, of which no news come. A window that nobody sees does not ask.

import { fragment } from "./shared/http.js";
import { morph } from "./shared/morph.js";
import { latest, parse } from "./shared/page.js";
import { atRandom } from "./shared/soon.js";

const EVERY_MS = 3000;
const GATHER_MS = 250;
const page = document.getElementById("exchange");
let timer = 0;
let isNews = false;

async function renew() {
  // No answer: what is shown stays. The mark for 'not live' says so, and the next turn asks again.
  const html = await fragment(page.dataset.nowUrl).catch(() => "");
  const fresh = html && parse(html).getElementById("exchange");
  if (fresh) morph(page, fresh);
}

async function turn() {
  clearTimeout(timer);
  isNews = false;
  if (document.hidden) return;
  await latest("exchange", renew);
  if (!isNews) later(EVERY_MS);
}

/** A call rings, is answered, ends: many at once are one request. */
function news({ detail }) {
  if (isNews) return;
  isNews = true;
  later(GATHER_MS + atRandom(detail.spread));
}

function later(milliseconds) {
  clearTimeout(timer);
  timer = setTimeout(turn, milliseconds);
}

if (page) {
  document.addEventListener("trichter:call", news);
  document.addEventListener("trichter:reconnected", turn);
  document.addEventListener("visibilitychange", turn);
  later(EVERY_MS);
}
