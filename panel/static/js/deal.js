// Keeps a deal's own page up to date while it is open.

import { Failure, fragment } from "./shared/http.js";
import { emit, latest, parse } from "./shared/page.js";

const page = () => document.querySelector("[data-deal-page]");

/** Somebody chooses or writes in it right now: what they do must not be taken away. */
const inUse = () => page().querySelector("select:focus, input:focus, textarea:focus") !== null;

/** How to find what has the focus again, in the page as it comes anew. */
function place(element) {
  if (!page().contains(element)) return "";
  if (element.id) return `#${CSS.escape(element.id)}`;
  const address = element.getAttribute("href");
  return address ? `[href="${CSS.escape(address)}"]` : "";
}

async function renew() {
  if (inUse()) {
    page().addEventListener("focusout", () => setTimeout(look, 500), { once: true });
    return;
  }
  try {
    const fresh = parse(await fragment(location.href)).querySelector("[data-deal-page]");
    if (!fresh || inUse()) return;
    const focused = place(document.activeElement);
    page().replaceWith(fresh);
    if (focused) page().querySelector(focused)?.focus({ preventScroll: true });
    emit("renewed");
    emit("shown");
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    // It was given to somebody else: the server has the words for that.
    if (error.status === 404) location.reload();
  }
}

const look = () => latest("page", renew);

if (page()) {
  document.addEventListener("trichter:deal", ({ detail }) => {
    if (String(detail.deal) === page().dataset.dealPage) look();
  });
  document.addEventListener("trichter:reconnected", look);
}
