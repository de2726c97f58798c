// Moving a card: shown at once, taken back with a word of explanation if the server refuses.

import { exchange, glide, nameOf, place } from "./cards.js";
import { Failure, send, serverNow } from "./http.js";
import { announce, emit, parse, text, toast } from "./page.js";

const moving = new Set();

/** While a card is dragged or its move is under way, news of it have to wait. */
export const isBusy = (deal) => moving.has(String(deal));

export function hold(card) {
  moving.add(card.dataset.deal);
}

export function release(deal) {
  moving.delete(String(deal));
  emit("free", { deal });
}

/** Where a card stands now, for taking a move back. */
export function standing(card) {
  const { stage, since } = card.dataset;
  return { list: card.parentNode, next: card.nextSibling, stage, since };
}

/** Puts a card back to where it stood. */
export function takeBack(card, home) {
  Object.assign(card.dataset, { stage: home.stage, since: home.since });
  glide(card, () => {
    const near = home.next?.parentNode === home.list ? home.next : null;
    if (near || !home.next) home.list.insertBefore(card, near);
    else place(card, home.list);
  });
}

/** Moves a card to another column; home is where it stood. True: it stays there. */
export async function move(card, list, home = standing(card)) {
  const { deal, moveUrl } = card.dataset;
  const names = { deal: nameOf(card), stage: list.dataset.stageName };
  hold(card);
  Object.assign(card.dataset, { stage: list.dataset.stage, since: serverNow() });
  glide(card, () => place(card, list));
  try {
    const html = await send(moveUrl, { stage: list.dataset.stage, from: home.stage });
    exchange(card, parse(html).querySelector(".card"));
    announce(text("moved", names));
    emit("heads");
    return true;
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    takeBack(card, home);
    const sentence = { 0: text("cannotMove", names), 404: text("gone", names) }[error.status] ?? error.message;
    toast(sentence);
    announce(sentence);
    // Its true place, if somebody else moved it or it is gone.
    if (error.status) emit("deal", { deal: Number(deal), kind: "look" });
    return false;
  } finally {
    release(deal);
  }
}
