// On every page: the count beside 'Tasks', and a word when one of one's own is due. Others hear of
// that as trichter:reminder.

import { fragment } from "./shared/http.js";
import { announce, emit, parse } from "./shared/page.js";
import { soon } from "./shared/soon.js";

const SHOWN_MS = 60_000;
const badge = () => document.querySelector("[data-tasks-url]");

async function renew() {
  const html = await fragment(badge().dataset.tasksUrl).catch(() => "");
  const fresh = html && parse(html).querySelector("[data-tasks-url]");
  if (fresh && !badge().isEqualNode(fresh)) badge().replaceWith(fresh);
}

async function remind(task) {
  const address = badge().dataset.tasksUrl.replace(/count$/, `${task}/reminder`);
  // Finished, or given to somebody else in the meantime: then there is nothing to tell.
  const html = await fragment(address).catch(() => "");
  const note = html && parse(html).querySelector("[data-reminder]");
  if (!note) return;
  document.querySelector(`.toasts [data-reminder="${task}"]`)?.remove();
  document.getElementById("toasts").append(note);
  setTimeout(() => note.remove(), SHOWN_MS);
  note.querySelector("[data-reminder-close]").addEventListener("click", () => note.remove());
  const { title } = note.dataset;
  announce(title);
  notify(task, title, note.querySelector("a").href);
  emit("reminder", { task, title });
}

/** To a window in the background, if that was allowed before; one for all windows. */
function notify(task, title, url) {
  if (!document.hidden || globalThis.Notification?.permission !== "granted") return;
  try {
    const notice = new Notification(title, { tag: `trichter-task-${task}` });
    notice.addEventListener("click", () => {
      notice.close();
      window.focus();
      location.assign(url);
    });
  } catch (error) {
    // On Android there are none without a service worker; the page shows its own.
    if (!(error instanceof TypeError)) throw error;
  }
}

function heard({ detail }) {
  if (!detail.mine) return;
  soon("tasks-count", renew, detail.spread);
  if (detail.kind === "task.due") remind(detail.task);
  if (detail.kind === "task.done") document.querySelector(`.toasts [data-reminder="${detail.task}"]`)?.remove();
}

if (badge()) {
  document.addEventListener("trichter:task", heard);
  document.addEventListener("trichter:deal", ({ detail }) => {
    if (detail.kind === "deal.assigned") soon("tasks-count", renew, detail.spread);
  });
  document.addEventListener("trichter:reconnected", ({ detail }) => soon("tasks-count", renew, detail.spread));
}
