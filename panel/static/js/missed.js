// The count beside 'Calls', and on its page the list itself: who waits to be called back. They grow
// when a call is missed, and shrink when somebody has talked with that number.

import { fragment } from "./shared/http.js";
import { morph } from "./shared/morph.js";
import { parse } from "./shared/page.js";
import { soon } from "./shared/soon.js";

const KINDS = new Set(["call.ended", "call.called_back", "deal.assigned"]);
const badge = () => document.querySelector("[data-missed-url]");
const list = document.querySelector("[data-missed-list]");

async function renew() {
  const html = await fragment(badge().dataset.missedUrl).catch(() => "");
  // No answer: the old count stays, and the next news asks again.
  const fresh = html && parse(html).querySelector("[data-missed-url]");
  if (fresh && !badge().isEqualNode(fresh)) badge().replaceWith(fresh);
}

async function renewList() {
  const html = await fragment(location.href).catch(() => "");
  const fresh = html && parse(html).querySelector("[data-missed-list]");
  if (!fresh) return;
  const hadFocus = list.contains(document.activeElement);
  morph(list, fresh);
  // The line that somebody stood on has gone: they go on from the list, not from the top.
  if (hadFocus && !list.contains(document.activeElement)) list.focus();
}

function look({ detail }) {
  soon("missed", renew, detail.spread);
  if (list) soon("missed-list", renewList, detail.spread);
}

function heard(news) {
  if (KINDS.has(news.detail.kind)) look(news);
}

if (badge()) {
  document.addEventListener("trichter:call", heard);
  // A card's owner hears of its calls as news of the card.
  document.addEventListener("trichter:deal", heard);
  document.addEventListener("trichter:reconnected", look);
}
