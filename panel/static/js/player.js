// Recordings: one player at the foot of the page for all of them, so that one plays at a time. The
// lists may be renewed meanwhile; the links in them only say what the player does.

import { text } from "./shared/page.js";

const player = document.getElementById("player");
const audio = player?.querySelector("audio");
const title = player?.querySelector(".player__title");
const trouble = player?.querySelector(".player__trouble");
const save = player?.querySelector(".player__save");
let opened = "";

const address = (link) => link.getAttribute("href");

/** Every link as it is: the one of the recording that is open, and whether it plays. */
function mark() {
  for (const link of document.querySelectorAll("[data-play]")) {
    const isOpen = address(link) === opened;
    const plays = isOpen && !audio.paused;
    // With scripts it is a switch, and no way to another page.
    link.setAttribute("role", "button");
    link.setAttribute("aria-pressed", plays);
    link.classList.toggle("is-open", isOpen);
    link.classList.toggle("is-playing", plays);
  }
}

function say(message) {
  trouble.textContent = message;
  audio.hidden = message !== "";
  save.hidden = message !== player.dataset.unplayable;
}

function start() {
  // What goes wrong is told by the event 'error'; a pause before it began is none.
  audio.play().catch(() => {});
}

function open(link) {
  opened = address(link);
  title.textContent = link.dataset.title;
  save.href = opened;
  say("");
  audio.src = opened;
  player.hidden = false;
  start();
  mark();
}

function close() {
  const link = document.querySelector(`[data-play][href="${opened}"]`);
  const hadFocus = player.contains(document.activeElement);
  opened = "";
  audio.pause();
  audio.removeAttribute("src");
  player.hidden = true;
  mark();
  if (hadFocus) link?.focus();
}

function pressed(link) {
  if (address(link) !== opened || trouble.textContent) open(link);
  else if (audio.paused) start();
  else audio.pause();
}

/** A player says only that it could not: whether the file is gone, the server knows. */
async function failed() {
  const asked = opened;
  if (!asked || !audio.getAttribute("src")) return;
  const answer = await fetch(asked, { method: "HEAD" }).catch(() => null);
  if (asked !== opened) return;
  if (answer === null) say(text("offline"));
  else if (answer.status === 401) location.reload();
  else if (answer.status === 404) say(player.dataset.gone);
  else say(answer.ok ? player.dataset.unplayable : player.dataset.busy);
  mark();
}

if (player) {
  document.addEventListener("click", (event) => {
    const link = event.target.closest("[data-play]");
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    pressed(link);
  });
  document.addEventListener("keydown", (event) => {
    if (event.key !== " " || !event.target.matches?.("[data-play]")) return;
    event.preventDefault();
    pressed(event.target);
  });
  for (const kind of ["play", "pause", "ended"]) audio.addEventListener(kind, mark);
  audio.addEventListener("error", failed);
  player.querySelector(".player__close").addEventListener("click", close);
  player.addEventListener("keydown", ({ key }) => key === "Escape" && close());
  document.addEventListener("trichter:renewed", mark);
  mark();
}
