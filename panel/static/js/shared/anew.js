// Loads the page anew by itself, as soon as nobody has anything in hand on it: what is written, dragged
// or asked, and what can still be taken back, would be lost. It comes back scrolled as it was.

import { isThere } from "./http.js";
import { isAnyBusy } from "./moves.js";
import { toast } from "./page.js";
import { hasTyped } from "./typed.js";

const AGAIN_MS = 2000;
const PLACE = "trichter.place";
const IN_HAND = "dialog[open], dialog:popover-open, .toast--undo, .is-choosing, .is-dragging, details[data-edit][open]";

// After which whoever has left a field empty is not about to write in it.
const PAUSE_MS = 20_000;
let lastTouched = 0;

const isAboutToWrite = () =>
  Date.now() - lastTouched < PAUSE_MS && document.activeElement?.matches("input, textarea, select");

export const inHand = () =>
  hasTyped() || isAnyBusy() || isAboutToWrite() || document.querySelector(IN_HAND) !== null;

/** Then says the sentence, if there is one. */
export async function loadAnew(sentence = "") {
  // The browser's own page, where the server is just away, would be the end of it.
  if (inHand() || !(await isThere())) {
    setTimeout(loadAnew, AGAIN_MS, sentence);
    return;
  }
  sessionStorage.setItem("trichter.reloaded", Date.now());
  sessionStorage.setItem(PLACE, JSON.stringify({ ...place(), sentence }));
  location.reload();
}

const scrolled = () => [...document.querySelectorAll("#board, #board .col__cards")];

const place = () => ({
  url: location.href,
  top: scrollY,
  parts: scrolled().map(({ dataset, scrollLeft, scrollTop }) => [dataset.stage ?? "", scrollLeft, scrollTop]),
  focus: wayTo(document.activeElement),
});

/** A selector: whoever goes on writing writes in the same field. */
function wayTo(one) {
  if (one?.id) return `#${CSS.escape(one.id)}`;
  const action = one?.form?.getAttribute("action");
  return action && one.name ? `form[action="${CSS.escape(action)}"] [name="${CSS.escape(one.name)}"]` : "";
}

function comeBack({ top, parts, focus }) {
  for (const part of scrolled()) {
    const [, left, down] = parts.find(([stage]) => stage === (part.dataset.stage ?? "")) ?? ["", 0, 0];
    part.scrollTo({ left, top: down, behavior: "instant" });
  }
  scrollTo({ top, behavior: "instant" });
  if (focus) document.querySelector(focus)?.focus({ preventScroll: true });
}

for (const touch of ["keydown", "pointerdown"]) addEventListener(touch, () => (lastTouched = Date.now()), true);
const left = JSON.parse(sessionStorage.getItem(PLACE) ?? "null");
sessionStorage.removeItem(PLACE);
if (left?.url === location.href) comeBack(left);
// Also where the page led to another one, as a board does whose funnel was archived.
if (left?.sentence && new URL(left.url).pathname === location.pathname) toast(left.sentence, "note");
