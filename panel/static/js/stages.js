// An administrator has changed the funnel: the board is shown anew, when nothing is in hand on it.

import { inHand, loadAnew } from "./shared/anew.js";
import { toast } from "./shared/page.js";
import { soon } from "./shared/soon.js";
import { words } from "./shared/texts.js";

const board = document.getElementById("board");
// Whoever sets up a funnel changes one thing after another: they are gathered, and a board that has
// just been loaded because of one waits.
const GATHER_MS = 2500;
const PAUSE_MS = 30_000;
// What is young is told to a new page once more (panel/live.py), which shows it already.
const KNOWN = "trichter.funnelNews";
const MOST_KNOWN = 100;
// How much longer it takes than to ask for a part of the page.
const TIMES = 4;
let isWaiting = false;

/** Of other funnels it shows the names, in their order. */
const concerns = ({ funnel, kind }) =>
  String(funnel) === board.dataset.funnel || /^funnel(\.added|\.changed|s\.)/.test(kind);

/** Whether this window hears of it for the first time. */
function isNew({ event }) {
  const known = JSON.parse(sessionStorage.getItem(KNOWN) ?? "[]");
  if (known.includes(event)) return false;
  sessionStorage.setItem(KNOWN, JSON.stringify([...known, event].slice(-MOST_KNOWN)));
  return true;
}

/** Milliseconds until the board may be loaded anew. */
function pause() {
  const since = Date.now() - Number(sessionStorage.getItem("trichter.reloaded"));
  return Math.max(GATHER_MS, since < 0 ? 0 : PAUSE_MS - since);
}

function show() {
  if (isWaiting) return;
  isWaiting = true;
  if (inHand()) toast(words("stagesWait"), "note");
  loadAnew(words("stagesChanged"));
}

if (board) {
  document.addEventListener("trichter:funnel", ({ detail }) => {
    if (concerns(detail) && isNew(detail)) soon("stages", show, TIMES * (detail.spread ?? 0), pause());
  });
}
