// Keeps the board as it is in the database. A move by somebody else stands in the news itself and is
// shown at once; the truth about it, and all else that happens, is asked for a little later, all of it
// with one question.

import { cardOf, exchange, glide, keyAt, listOf, place } from "./shared/cards.js";
import { Failure, fragment } from "./shared/http.js";
import { isBusy } from "./shared/moves.js";
import { emit, parse } from "./shared/page.js";
import { soon } from "./shared/soon.js";

const board = document.getElementById("board");
const HEADS_MS = 150;
const DOUBT_MS = 500;
const AGAIN_MS = 3000;
const MOST = 100;

const waiting = new Set();
const postponed = new Set();
const doubted = new Map();
let lastSpread = 0;

const changeOf = (card) => Number(card.dataset.change);

function heard({ deal, change, stage, since, spread }) {
  lastSpread = spread || lastSpread;
  const card = cardOf(deal);
  // One's own move, or what the page came with: only the heads may be older.
  const isKnown = change && card && changeOf(card) >= change;
  if (!isKnown) waiting.add(String(deal));
  if (!isKnown && change && card && !isBusy(deal)) arrive(card, { change, stage, since });
  // After all who hear of the move: one of them tells it to those who do not see it.
  if (card && changeOf(card) === change) queueMicrotask(() => emit("placed", { deal: String(deal) }));
  soon("board", renew, spread);
}

/** As an own move does. What else is different about the card comes with the truth. */
function arrive(card, { change, stage, since }) {
  const list = listOf(stage);
  if (!list) return;
  recount(card.dataset.stage, -1);
  recount(stage, 1);
  Object.assign(card.dataset, { stage, change, key: keyAt(card, since) });
  glide(card, () => place(card, list));
}

function recount(stage, by) {
  const count = document.querySelector(`#head-${stage} .col__count`);
  if (!count) return;
  count.dataset.count = Number(count.dataset.count) + by;
  count.textContent = new Intl.NumberFormat(document.documentElement.lang).format(count.dataset.count);
  // It says the number in words, which only the server has.
  count.removeAttribute("aria-label");
}

/** The heads of the columns, and the cards that there are news of: with the board's filters, so that
    one that does not belong on it is not in the answer. */
async function renew() {
  const deals = [...waiting].slice(0, MOST);
  deals.forEach((deal) => waiting.delete(deal));
  const html = await load(deals);
  if (html === undefined) {
    deals.forEach((deal) => waiting.add(deal));
    soon("board", renew, lastSpread, AGAIN_MS);
    return;
  }
  const fresh = parse(html ?? "");
  if (html !== null) for (const deal of deals) take(deal, fresh.getElementById(`deal-${deal}`));
  heads(fresh);
  if (waiting.size) soon("board", renew, lastSpread);
}

/** The answer; null: this board is no more; undefined: can't tell. News is told once: what could not be
    fetched is asked for until it can. */
async function load(deals) {
  const address = new URL(board.dataset.headsUrl, location.href);
  if (deals.length) address.searchParams.set("deals", deals.join(","));
  try {
    return await fragment(address);
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    return error.status === 404 ? null : undefined;
  }
}

function take(deal, card) {
  const old = cardOf(deal);
  if (isBusy(deal)) {
    postponed.add(deal);
  } else if (isOlder(deal, card, old)) {
    refresh(deal, DOUBT_MS);
  } else {
    show(old, card);
    emit("placed", { deal });
  }
}

/** The answer was on its way when the card was moved on. Twice the same is the truth. */
function isOlder(deal, card, old) {
  const isDoubtful = card && old && changeOf(card) < changeOf(old) && doubted.get(deal) !== card.dataset.change;
  if (isDoubtful) doubted.set(deal, card.dataset.change);
  else doubted.delete(deal);
  return isDoubtful;
}

function refresh(deal, least) {
  waiting.add(deal);
  soon("board", renew, 0, least);
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

function heads(fresh) {
  for (const part of [...fresh.children]) {
    const old = !part.matches(".card") && document.getElementById(part.id);
    if (!old || old.outerHTML === part.outerHTML) continue;
    // Exchanged between press and release, a link in it would not hear of the click.
    if (old.querySelector(":active")) emit("heads");
    else old.replaceWith(part);
  }
}

if (board) {
  document.addEventListener("trichter:deal", ({ detail }) => heard(detail));
  document.addEventListener("trichter:heads", () => soon("board", renew, 0, HEADS_MS));
  document.addEventListener("trichter:reconnected", ({ detail }) => soon("board", renew, detail.spread));
  document.addEventListener("trichter:free", ({ detail }) => {
    if (postponed.delete(String(detail.deal))) refresh(String(detail.deal));
  });
}
