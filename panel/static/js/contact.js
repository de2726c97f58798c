// A contact's own page is renewed while it is open, part by part, when somebody changes the contact or
// one of its deals, and when it calls or is called; what is being written or chosen is left alone.

import { Failure, fragment } from "./shared/http.js";
import { bare } from "./shared/morph.js";
import { emit, latest, parse } from "./shared/page.js";
import { hasTyped } from "./shared/typed.js";

const page = document.querySelector("[data-contact-page]");
const served = new Map();

const inUse = (part) =>
  part.contains(document.activeElement) || hasTyped(part) || part.querySelector("details[open]") !== null;

async function renew() {
  try {
    for (const fresh of parse(await fragment(location.href)).querySelectorAll("[data-contact-page] [data-part]")) {
      takeOver(fresh);
    }
    emit("renewed");
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    // It was merged into another one, or erased: the server has the words for that.
    if (error.status === 404 && !hasTyped()) location.reload();
  }
}

function takeOver(fresh) {
  const { part } = fresh.dataset;
  const old = page.querySelector(`[data-part="${part}"]`);
  const html = bare(fresh);
  if (!old || served.get(part) === html || inUse(old)) return;
  served.set(part, html);
  old.replaceWith(fresh);
}

const look = () => latest("contact", renew);

if (page) {
  for (const part of page.querySelectorAll("[data-part]")) served.set(part.dataset.part, bare(part));
  document.addEventListener("trichter:contact", ({ detail }) => {
    if (String(detail.contact) === page.dataset.contactPage) look();
  });
  // Of the own phone's calls nobody says whose they are.
  document.addEventListener("trichter:call", ({ detail }) => {
    if (detail.mine || String(detail.caller) === page.dataset.contactPage) look();
  });
  document.addEventListener("trichter:deal", ({ detail }) => {
    if (page.querySelector(`a[href="/deals/${detail.deal}"]`)) look();
  });
  document.addEventListener("trichter:reconnected", look);
}
