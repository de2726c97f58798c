// The count beside 'Calls': how many wait to be called back. It goes up when a call is missed, and
// down when somebody has talked with that number.

import { fragment } from "./shared/http.js";
import { latest, parse } from "./shared/page.js";

const KINDS = new Set(["call.ended", "call.called_back", "deal.assigned"]);
const badge = () => document.querySelector("[data-missed-url]");

async function renew() {
  const html = await fragment(badge().dataset.missedUrl).catch(() => "");
  // No answer: the old count stays, and the next news asks again.
  const fresh = html && parse(html).querySelector("[data-missed-url]");
  if (fresh && !badge().isEqualNode(fresh)) badge().replaceWith(fresh);
}

function heard({ detail }) {
  if (KINDS.has(detail.kind)) latest("missed", renew);
}

if (badge()) {
  document.addEventListener("trichter:call", heard);
  // A card's owner hears of its calls as news of the card.
  document.addEventListener("trichter:deal", heard);
  document.addEventListener("trichter:reconnected", () => latest("missed", renew));
}
