// The board by keyboard: from card to card, and a card to another stage. The keys are declared in
// panel/shortcuts.py.

import { cardOf, nameOf } from "./shared/cards.js";
import { bind } from "./shared/keys.js";
import { move } from "./shared/moves.js";
import { announce, text } from "./shared/page.js";
import { inTurn } from "./shared/undo.js";

const board = document.getElementById("board");

const lists = () => [...board.querySelectorAll(".col__cards")];

async function step(deal, by) {
  const card = cardOf(deal);
  const next = card && lists()[lists().indexOf(card.parentNode) + by];
  if (next) {
    await move(card, next);
    cardOf(deal)?.scrollIntoView({ block: "nearest", inline: "nearest" });
  } else if (card) {
    announce(text(by < 0 ? "first" : "last", { deal: nameOf(card) }));
  }
}

/** One after the other, so that three quick presses move three columns. */
function toStage({ target }, by) {
  const { deal } = target.dataset;
  inTurn(() => step(deal, by));
}

/** Over empty columns to the next one with cards. */
function across({ target }, by) {
  const all = lists();
  let at = all.indexOf(target.parentNode) + by;
  while (all[at] && !all[at].querySelector(".card")) at += by;
  all[at]?.querySelector(".card").focus();
}

const CARD = { on: "#board .card" };

if (board) {
  bind("card-up", ({ target }) => target.previousElementSibling?.focus(), CARD);
  // The last may be followed by the way to more of them.
  bind("card-down", ({ target }) => (target.nextElementSibling?.querySelector("[data-more]") ?? target.nextElementSibling)?.focus(), CARD);
  bind("card-left", (event) => toStage(event, -1), CARD);
  bind("card-right", (event) => toStage(event, 1), CARD);
  bind("column-left", (event) => across(event, -1), CARD);
  bind("column-right", (event) => across(event, 1), CARD);
  bind("card-open", ({ target }) => target.querySelector("a")?.click(), CARD);
}
