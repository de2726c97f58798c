// Calls that were asked for: a strip at the edge of the page tells how they go, on every page.

import { Failure, fragment, send } from "./shared/http.js";
import { latest, parse, toast } from "./shared/page.js";

const KEPT = "trichter.request";
const WAITS_MS = 10_500;
const DONE_MS = 5000;
const { requestsUrl } = document.getElementById("texts")?.dataset ?? {};

// A page of its own is for those without scripts; whoever has them is not told twice there.
const place = document.querySelector("[data-request-place]");
const strip = place ?? document.createElement("div");
let timer = 0;
let news = 0;

const shown = () => strip.querySelector(".request");
const isOpen = (request) => !["done", "failed"].includes(request.dataset.state);

function close() {
  clearTimeout(timer);
  strip.replaceChildren();
  sessionStorage.removeItem(KEPT);
}

function show(html) {
  const fresh = parse(html).querySelector(".request");
  if (!fresh) return;
  const old = shown();
  const focused = old?.contains(document.activeElement);
  if (old) old.replaceWith(fresh);
  else strip.append(fresh);
  if (focused) fresh.querySelector("button")?.focus();
  clearTimeout(timer);
  if (isOpen(fresh)) sessionStorage.setItem(KEPT, fresh.dataset.url);
  else sessionStorage.removeItem(KEPT);
  // Nobody tells that nobody took it: then it is over after a while.
  if (fresh.dataset.state === "new") timer = setTimeout(look, WAITS_MS, fresh.dataset.url);
  if (fresh.dataset.state === "done") timer = setTimeout(close, DONE_MS);
}

function look(url) {
  news += 1;
  return latest("request", async () => {
    try {
      show(await fragment(url));
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      if (error.status === 404) close();
    }
  });
}

async function submitted(event) {
  const form = event.target.closest("form[data-request]");
  if (!form) return;
  event.preventDefault();
  const values = new URLSearchParams(new FormData(form, event.submitter));
  const before = news;
  try {
    show(await send(form.action, values));
    // The answer was on its way when the call went on: it may be older than what it tells of.
    if (news !== before && shown()) look(shown().dataset.url);
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    toast(error.message);
  }
}

if (requestsUrl) {
  if (!place) {
    strip.id = "request";
    document.body.append(strip);
  }
  document.addEventListener("submit", submitted);
  document.addEventListener("trichter:request", ({ detail }) => look(`${requestsUrl}/${detail.request}`));
  // Whether the customer has picked up is told of the call, not of the request.
  document.addEventListener("trichter:call", ({ detail }) => {
    const request = shown();
    if (detail.mine && request && isOpen(request)) look(request.dataset.url);
  });
  document.addEventListener("trichter:reconnected", () => {
    const url = shown()?.dataset.url;
    if (url) look(url);
  });
  strip.addEventListener("click", ({ target }) => {
    if (target.closest("[data-request-close]")) close();
  });
  const kept = sessionStorage.getItem(KEPT);
  if (kept) look(kept);
}
