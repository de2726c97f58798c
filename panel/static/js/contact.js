// A contact's own page is renewed while it is open, part by part, when somebody changes the contact or
// one of its deals, and when it calls or is called; what is being written or chosen is left alone.

import { Failure, fragment } from "./shared/http.js";
import { bare } from "./shared/morph.js";
import { emit, latest, parse } from "./shared/page.js";
import { hasTyped } from "./shared/typed.js";

const page = document.querySelector("[data-contact-page]");
const served = new Map();

const AGAIN_MS = 3000;
const MOST_MS = 60_000;
const LEFT_MS = 300;
let again = 0;
let pause = AGAIN_MS;
let isDue = false;

// A button that is exchanged between press and release would not hear of the click.
const inUse = (part) =>
  part.contains(document.activeElement) || hasTyped(part) || part.querySelector("details[open], :active") !== null;

/** Somebody may stay in a field for long: it is tried less and less often, and while nobody sees the
    page not at all. */
function later() {
  wait(pause);
  pause = Math.min(2 * pause, MOST_MS);
}

function wait(milliseconds) {
  clearTimeout(again);
  again = setTimeout(retry, milliseconds);
}

function retry() {
  again = 0;
  isDue = document.hidden;
  if (!isDue) look();
}

async function renew() {
  clearTimeout(again);
  again = 0;
  try {
    const parts = parse(await fragment(location.href)).querySelectorAll("[data-contact-page] [data-part]");
    // What is in use now is looked at again when it may be free.
    if ([...parts].filter((part) => !takeOver(part)).length) later();
    else pause = AGAIN_MS;
    emit("renewed");
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    // It was merged into another one, or erased: the server has the words for that.
    if (error.status === 404 && !hasTyped()) location.reload();
    else if (error.status !== 404 && error.status !== 401) later();
  }
}

/** Puts a part of the newer page in place of the old one. False: not now. */
function takeOver(fresh) {
  const { part } = fresh.dataset;
  const old = page.querySelector(`[data-part="${part}"]`);
  const html = bare(fresh);
  if (!old || served.get(part) === html) return true;
  if (inUse(old)) return false;
  served.set(part, html);
  old.replaceWith(fresh);
  return true;
}

const look = () => latest("contact", renew);

/** Whatever was in use may be free now. */
const freed = () => again && wait(LEFT_MS);

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
  document.addEventListener("visibilitychange", () => isDue && !document.hidden && retry());
  page.addEventListener("focusout", freed);
  // `toggle` does not bubble.
  page.addEventListener("toggle", freed, true);
}
