// The board by keyboard: arrows up and down go from card to card, left and right (also [ and ])
// move the card to the next column, with Shift they go to that column's first card, Enter opens it. Control-Z
// takes the last move back.

import { cardOf, nameOf } from "./shared/cards.js";
import { move } from "./shared/moves.js";
import { announce, text } from "./shared/page.js";
import { undoLast } from "./shared/undo.js";

const STEPS = { ArrowLeft: -1, "[": -1, ArrowRight: 1, "]": 1 };
const NEIGHBOURS = { ArrowUp: "previousElementSibling", ArrowDown: "nextElementSibling" };
const board = document.getElementById("board");
let moves = Promise.resolve();

async function step(deal, by) {
  const card = cardOf(deal);
  const lists = [...board.querySelectorAll(".col__cards")];
  const next = card && lists[lists.indexOf(card.parentNode) + by];
  if (next) {
    await move(card, next);
    cardOf(deal)?.scrollIntoView({ block: "nearest", inline: "nearest" });
  } else if (card) {
    announce(text(by < 0 ? "first" : "last", { deal: nameOf(card) }));
  }
}

/** Over empty columns to the next one with cards. */
function across(card, by) {
  const lists = [...board.querySelectorAll(".col__cards")];
  let at = lists.indexOf(card.parentNode) + by;
  while (lists[at] && !lists[at].querySelector(".card")) at += by;
  lists[at]?.querySelector(".card").focus();
}

function pressed(event) {
  const card = event.target;
  if (!card.matches(".card") || event.ctrlKey || event.metaKey) return;
  // AltGr writes the brackets on many keyboards; with Alt alone an arrow belongs to the browser.
  if (event.altKey && event.key.startsWith("Arrow")) return;
  if (event.shiftKey) {
    if (!event.key.startsWith("Arrow") || !STEPS[event.key]) return;
    across(card, STEPS[event.key]);
  } else if (STEPS[event.key]) {
    // One after the other, so that three quick presses move three columns.
    moves = moves.then(() => step(card.dataset.deal, STEPS[event.key]));
  } else if (NEIGHBOURS[event.key]) {
    const next = card[NEIGHBOURS[event.key]];
    if (next?.matches(".card")) next.focus();
  } else if (event.key === "Enter") {
    card.querySelector("a")?.click();
  } else {
    return;
  }
  event.preventDefault();
}

/** In a field it belongs to what is written there. */
function undo(event) {
  const control = (event.ctrlKey || event.metaKey) && !event.shiftKey && !event.altKey;
  if (!control || event.key?.toLowerCase() !== "z") return;
  if (event.target.closest?.("input:not([type=checkbox]), textarea, [contenteditable], dialog")) return;
  event.preventDefault();
  // After a move that is still under way.
  moves = moves.then(undoLast);
}

if (board) {
  board.addEventListener("keydown", pressed);
  document.addEventListener("keydown", undo);
}
