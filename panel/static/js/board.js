// Keeps the board as it is in the database: cards that others move, make or take away.

import { cardOf, exchange, glide, listOf, place } from "./shared/cards.js";
import { Failure, fragment } from "./shared/http.js";
import { isBusy } from "./shared/moves.js";
import { emit, latest, parse } from "./shared/page.js";
import { viewed } from "./shared/texts.js";

const board = document.getElementById("board");
const HEADS_MS = 150;
const AGAIN_MS = 3000;
const AT_ONCE = 4;

const waiting = new Set();
const postponed = new Set();
const unsure = new Set();
let headsTimer = 0;
let unsureTimer = 0;
let atWork = 0;

function refresh(deal) {
  waiting.add(String(deal));
  work();
}

/** A few requests at a time, however much happens at once. */
async function work() {
  if (atWork >= AT_ONCE) return;
  atWork += 1;
  for (const deal of waiting) {
    waiting.delete(deal);
    await latest(`deal-${deal}`, () => update(deal));
  }
  atWork -= 1;
}

async function update(deal) {
  const html = await load(cardUrl(deal));
  if (isBusy(deal)) postponed.add(deal);
  else if (html !== undefined) show(cardOf(deal), html && parse(html).querySelector(".card"));
  if (html === undefined) tryLater(deal);
  else headsSoon();
  emit("placed", { deal });
}

/** News is told once: what could not be fetched then is asked for until it can. */
function tryLater(deal) {
  unsure.add(deal);
  clearTimeout(unsureTimer);
  unsureTimer = setTimeout(tryAgain, AGAIN_MS);
}

function tryAgain() {
  const again = [...unsure];
  unsure.clear();
  again.forEach(refresh);
}

/** With the board's filters: a deal that does not belong on it answers 404. */
const cardUrl = (deal) => viewed(`/deals/${deal}/card`);

/** The card's HTML; null: it is not for this board; undefined: can't tell, so it stays. */
async function load(url) {
  try {
    return await fragment(url);
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    return error.status === 404 ? null : undefined;
  }
}

function show(old, card) {
  const list = card && listOf(card.dataset.stage);
  if (!list) {
    old?.remove();
    return;
  }
  // After a page load the stream tells once more what the page shows already.
  if (old && old.parentElement === list && old.isEqualNode(card)) return;
  if (old) exchange(old, card);
  document.querySelector(".welcome--bar")?.remove();
  glide(card, () => place(card, list));
}

function headsSoon() {
  clearTimeout(headsTimer);
  headsTimer = setTimeout(() => latest("heads", heads), HEADS_MS);
}

async function heads() {
  const html = await load(board.dataset.headsUrl);
  if (!html) return;
  for (const part of [...parse(html).children]) {
    const old = document.getElementById(part.id);
    if (old && old.outerHTML !== part.outerHTML) old.replaceWith(part);
  }
}

if (board) {
  document.addEventListener("trichter:deal", ({ detail }) => refresh(detail.deal));
  document.addEventListener("trichter:heads", headsSoon);
  document.addEventListener("trichter:reconnected", () => {
    tryAgain();
    headsSoon();
  });
  document.addEventListener("trichter:free", ({ detail }) => {
    if (postponed.delete(String(detail.deal))) refresh(detail.deal);
  });
}
