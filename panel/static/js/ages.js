// The board stays open all day: a card whose age has another wording by now, or whose deal got stuck,
// is asked for again. The server, which writes both, says when that is (data-stale).

import { serverNow } from "./shared/http.js";
import { emit } from "./shared/page.js";

const EVERY_MS = 20_000;
const AT_ONCE = 20;
const board = document.getElementById("board");

function look() {
  if (document.hidden || document.documentElement.dataset.live !== "on") return;
  const stale = [...board.querySelectorAll("[data-stale]")].filter(
    (card) => Number(card.dataset.stale) < serverNow(),
  );
  for (const { dataset } of stale.slice(0, AT_ONCE)) emit("deal", { deal: dataset.deal, kind: "look" });
}

if (board) setInterval(look, EVERY_MS);
