// An administrator has changed the funnel: the board is shown anew, when nothing is in hand on it.

import { inHand, loadAnew } from "./shared/anew.js";
import { toast } from "./shared/page.js";
import { soon } from "./shared/soon.js";
import { words } from "./shared/texts.js";

const board = document.getElementById("board");
// By then a new page knows of it: what is younger than two seconds is told to it once more
// (panel/live.py), and it would load itself again.
const KNOWN_MS = 2500;
// How much longer it takes than to ask for a part of the page.
const TIMES = 4;
let isWaiting = false;

/** Of other funnels it shows the names, in their order. */
const concerns = ({ funnel, kind }) =>
  String(funnel) === board.dataset.funnel || /^funnel(\.added|\.changed|s\.)/.test(kind);

function show() {
  if (isWaiting) return;
  isWaiting = true;
  if (inHand()) toast(words("stagesWait"), "note");
  loadAnew(words("stagesChanged"));
}

if (board) {
  document.addEventListener("trichter:funnel", ({ detail }) => {
    if (concerns(detail)) soon("stages", show, TIMES * (detail.spread ?? 0), KNOWN_MS);
  });
}
