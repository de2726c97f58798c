// Who calls, said by the browser itself while the window is in the background. It asks once, by a
// click in a pop-up; the answer is the browser's to keep.

import { text } from "./shared/page.js";

const ASKED = "trichter.notifications";
// Another window may be in view, and shows the call itself.
const PATIENCE_MS = 300;
const stack = document.getElementById("popups");
const shown = new Map();
const windows = "BroadcastChannel" in globalThis ? new BroadcastChannel("trichter.calls") : null;
const seen = new Set();

// Telephones have the name, but let only service workers use it.
const possible = () =>
  "Notification" in globalThis && isSecureContext && matchMedia("(hover: hover)").matches;

function look() {
  const ringing = new Map(
    [...stack.querySelectorAll('.pop[data-state="rings"]')].map((popup) => [popup.dataset.call, popup]),
  );
  for (const [call, notice] of shown) {
    if (ringing.has(call)) continue;
    notice?.close();
    shown.delete(call);
  }
  for (const [call, popup] of ringing) {
    if (!document.hidden) windows?.postMessage(call);
    else if (!shown.has(call)) tell(call, popup);
  }
  offer();
}

function tell(call, popup) {
  if (!possible() || Notification.permission !== "granted") return;
  shown.set(call, null);
  setTimeout(() => {
    if (!popup.isConnected || popup.dataset.state !== "rings" || seen.has(call) || !document.hidden) {
      shown.delete(call);
      return;
    }
    shown.set(call, open(call, popup));
  }, PATIENCE_MS);
}

function open(call, popup) {
  const part = (name) => popup.querySelector(name)?.textContent.trim().replace(/\s+/g, " ") ?? "";
  const body = [part(".pop__number"), part(".pop__deals li")].filter(Boolean).join("\n");
  // The same tag from several windows is one notice.
  const about = { body, tag: `trichter-call-${call}`, requireInteraction: true };
  const notice = new Notification(`☎ ${part(".pop__name")}`, about);
  notice.addEventListener("click", () => {
    focus();
    notice.close();
    const { dealUrl } = popup.dataset;
    if (dealUrl && location.pathname !== dealUrl) location.assign(dealUrl);
  });
  return notice;
}

/** Once, below the first pop-up: a browser must be asked by a click. */
function offer() {
  const old = document.getElementById("offer-notices");
  const wanted =
    possible() && Notification.permission === "default" && !localStorage.getItem(ASKED) && stack.querySelector(".pop");
  if (!wanted) old?.remove();
  if (!wanted || old) return;
  const place = document.createElement("div");
  place.id = "offer-notices";
  place.className = "pop__offer";
  const words = document.createElement("p");
  words.textContent = text("notices");
  place.append(words, button(text("noticesYes"), true), button(text("noticesNo"), false));
  wanted.append(place);
}

function button(words, yes) {
  const made = document.createElement("button");
  made.type = "button";
  made.className = "btn btn--s";
  made.textContent = words;
  made.addEventListener("click", async () => {
    localStorage.setItem(ASKED, yes ? "yes" : "no");
    document.getElementById("offer-notices").remove();
    if (yes) await Notification.requestPermission();
  });
  return made;
}

if (stack) {
  windows?.addEventListener("message", ({ data }) => {
    seen.add(data);
    shown.get(data)?.close();
  });
  document.addEventListener("trichter:popups", look);
  document.addEventListener("visibilitychange", () => {
    if (document.hidden) return;
    for (const notice of shown.values()) notice?.close();
    shown.clear();
    look();
  });
  addEventListener("pagehide", () => {
    for (const notice of shown.values()) notice?.close();
  });
}
