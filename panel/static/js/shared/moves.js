// Moving a card: shown at once, taken back with a word of explanation if the server refuses, and to
// be undone afterwards.

import { cardOf, exchange, glide, keyAt, listOf, nameOf, place } from "./cards.js";
import { completed } from "./completion.js";
import { Failure, send, serverNow } from "./http.js";
import { announce, emit, parse, text, toast } from "./page.js";
import { viewed } from "./texts.js";
import { offer } from "./undo.js";

const moving = new Set();

/** While a card is dragged or its move is under way, news of it have to wait. */
export const isBusy = (deal) => moving.has(String(deal));

export const isAnyBusy = () => moving.size > 0;

export function hold(card) {
  moving.add(card.dataset.deal);
}

export function release(deal) {
  moving.delete(String(deal));
  emit("free", { deal });
}

/** Where a card stands now, for taking a move back. */
export function standing(card) {
  const { stage, key } = card.dataset;
  return { list: card.parentNode, next: card.nextSibling, stage, key };
}

/** Puts a card back to where it stood. */
export function takeBack(card, home) {
  Object.assign(card.dataset, { stage: home.stage, key: home.key });
  glide(card, () => {
    const near = home.next?.parentNode === home.list ? home.next : null;
    if (near || !home.next) home.list.insertBefore(card, near);
    else place(card, home.list);
  });
}

/** Moves a card to another column; home is where it stood. True: it stays there. */
export async function move(card, list, home = standing(card)) {
  const { deal } = card.dataset;
  const names = { deal: nameOf(card), stage: list.dataset.stageName };
  hold(card);
  Object.assign(card.dataset, { stage: list.dataset.stage, key: keyAt(card, serverNow()) });
  glide(card, () => place(card, list));
  try {
    const values = { stage: list.dataset.stage, from: home.stage };
    const html = await completed(viewed(`/deals/${deal}/moves`), values);
    if (html === null) cancelled(card, home, names);
    else moved(card, html, names);
    return html !== null;
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    refused(error, card, home, names);
    return false;
  } finally {
    release(deal);
  }
}

function moved(card, html, names) {
  const { deal } = card.dataset;
  exchange(card, parse(html).querySelector(".card"));
  announce(text("moved", names));
  emit("heads");
  offer(text("moved", names), () => back(deal));
}

function cancelled(card, home, names) {
  takeBack(card, home);
  announce(text("cancelled", names));
  card.focus({ preventScroll: true });
}

function refused(error, card, home, names) {
  takeBack(card, home);
  toast({ 0: text("cannotMove", names), 404: text("gone", names) }[error.status] ?? error.message);
  // Its true place, if somebody else moved it or it is gone.
  if (error.status) emit("deal", { deal: Number(card.dataset.deal), kind: "look" });
}

/** Takes a move back: the card stands where it was, as if it had never left. The
    sentence that tells of it. */
async function back(deal) {
  const html = await send(viewed(`/deals/${deal}/undo`), {});
  const card = parse(html).querySelector(".card");
  const [old, list] = [cardOf(deal), listOf(card.dataset.stage)];
  if (old) exchange(old, card);
  if (list) glide(card, () => place(card, list));
  emit("heads");
  return text("undone", { deal: nameOf(card), stage: list?.dataset.stageName });
}
