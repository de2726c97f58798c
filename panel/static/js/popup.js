// The pop-up card while the phone rings. It never takes the focus, and never what is being typed.

import { Failure, fragment } from "./shared/http.js";
import { emit, latest, parse, text } from "./shared/page.js";

const stack = document.getElementById("popups");
const { popupsUrl } = document.body.dataset;
const ENDED_MS = 6000;
const DISMISSED = "trichter.dismissed";
const REMEMBERED = 50;
const title = document.title;

const popupOf = (call) => document.getElementById(`popup-${call}`);

const dismissed = () => JSON.parse(sessionStorage.getItem(DISMISSED) ?? "[]");

/** Something was typed into its form. */
const isDirty = (popup) =>
  [...popup.querySelectorAll("form input:not([type=hidden])")].some((i) => i.value !== i.defaultValue);

function dismiss(popup) {
  const calls = [...dismissed(), popup.dataset.call].slice(-REMEMBERED);
  sessionStorage.setItem(DISMISSED, JSON.stringify(calls));
  popup.remove();
  tellTitle();
}

/** A window in the background says in its title who calls. */
function tellTitle() {
  const ringing = stack.querySelector('[data-state="rings"] .pop__name');
  document.title = ringing ? `☎ ${ringing.textContent.trim()}` : title;
}

function show(popup) {
  if (dismissed().includes(popup.dataset.call)) return;
  const old = popupOf(popup.dataset.call);
  if (old) renew(old, popup);
  else stack.prepend(popup);
  emit("shown");
  tellTitle();
}

/** A part's HTML without what differs every time: the form's token, and the seconds. */
const bare = (part) =>
  part.innerHTML.replace(/(name="csrf_token" value=)"[^"]*"|(<time[^>]*>)[^<]*/g, "$1$2");

/** Only the parts that differ: the rest is not read out again, and a form in use stays. */
function renew(old, popup) {
  for (const name of ["head", "facts", "act"]) {
    const was = old.querySelector(`[data-part="${name}"]`);
    const now = popup.querySelector(`[data-part="${name}"]`);
    const inUse = was.contains(document.activeElement);
    const keepsForm = name === "act" && (isDirty(old) || (inUse && now.querySelector("form")));
    if (keepsForm || bare(was) === bare(now)) continue;
    was.replaceWith(now);
    if (inUse) now.querySelector("a, button")?.focus();
  }
  old.className = popup.className;
  old.dataset.state = popup.dataset.state;
}

function ended(popup) {
  if (popup.dataset.state === "ended") return;
  popup.classList.add("pop--ended");
  popup.dataset.state = "ended";
  popup.querySelector("[data-state-text]").textContent = text("ended");
  // The time stands still at the length of the talk.
  popup.querySelector("[data-timer]")?.removeAttribute("data-timer");
  setTimeout(leave, ENDED_MS, popup);
  tellTitle();
}

/** A talk shows its end; what only rang here is gone at once, unless something was typed. */
function over(popup) {
  const talked = popup.dataset.state !== "rings";
  if (talked || isDirty(popup)) ended(popup);
  else popup.remove();
  tellTitle();
}

function leave(popup) {
  const inUse = isDirty(popup) || popup.contains(document.activeElement);
  if (inUse) popup.addEventListener("focusout", () => setTimeout(leave, ENDED_MS, popup), { once: true });
  else popup.remove();
}

async function changed({ call, kind }) {
  const popup = popupOf(call);
  if (kind === "call.ended") {
    if (popup) over(popup);
    return;
  }
  try {
    for (const fresh of parse(await fragment(`${popupsUrl}/${call}`)).querySelectorAll(".pop")) show(fresh);
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    if (error.status === 404 && popup) over(popup);
  }
}

/** All of them, as after a gap in the stream. */
async function all() {
  const html = await fragment(popupsUrl).catch(() => null);
  if (html === null) return;
  const now = [...parse(html).querySelectorAll(".pop")];
  const calls = new Set(now.map((popup) => popup.dataset.call));
  for (const popup of stack.querySelectorAll(".pop")) {
    if (!calls.has(popup.dataset.call)) ended(popup);
  }
  for (const popup of now.reverse()) show(popup);
}

if (stack && popupsUrl) {
  document.addEventListener("trichter:call", ({ detail }) => {
    if (detail.mine) latest(`call-${detail.call}`, () => changed(detail));
  });
  document.addEventListener("trichter:reconnected", () => latest("popups", all));
  stack.addEventListener("click", ({ target }) => {
    if (target.closest("[data-dismiss]")) dismiss(target.closest(".pop"));
  });
  latest("popups", all);
}
