// Lists of tasks, on their own page and on a deal's: finishing, putting off and adding without
// leaving the page, and news of them. Up and down go from task to task; on one, D finishes it and
// S puts it off.

import { Failure, fragment, post, send } from "./shared/http.js";
import { bind } from "./shared/keys.js";
import { announce, latest, parse, text, toast } from "./shared/page.js";
import { soon } from "./shared/soon.js";
import { forget, remember } from "./shared/undo.js";

const list = () => document.querySelector("[data-tasks]");
const forms = "form[data-task-form]";

/** Somebody answers, writes or presses in it right now: that must not be taken away. */
function inUse() {
  const { activeElement } = document;
  const writes = list().contains(activeElement) && activeElement.matches("input, select");
  return writes || list().querySelector("details[open], [data-task-next], :active") !== null;
}

let again = 0;

async function renew() {
  clearTimeout(again);
  if (!list()) return;
  if (inUse()) {
    again = setTimeout(look, 1000);
    return;
  }
  try {
    const fresh = parse(await fragment(location.href)).querySelector("[data-tasks]");
    if (!fresh || inUse()) {
      again = setTimeout(look, 1000);
      return;
    }
    exchange(fresh);
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
  }
}

const look = () => latest("tasks", renew);

/** Puts in the newer list; the focus stays on the same task, or where that one was. */
function exchange(fresh) {
  const links = [...list().querySelectorAll("[data-task-link]")];
  const focused = document.activeElement.closest("[data-task]");
  const place = focused && list().contains(focused) ? links.indexOf(focused.querySelector("[data-task-link]")) : -1;
  list().replaceWith(fresh);
  if (place < 0) return;
  const now = [...fresh.querySelectorAll("[data-task-link]")];
  const same = document.getElementById(focused.id)?.querySelector("[data-task-link]");
  (same ?? now[Math.min(place, now.length - 1)])?.focus({ preventScroll: true });
}

/** What is wrong, each beside its field; what belongs to none as a toast. */
function showProblems(form, html) {
  for (const problem of parse(html).querySelectorAll("[data-of]")) {
    const field = problem.dataset.of && form.querySelector(`[name="${problem.dataset.of}"]:not([type=radio])`);
    if (!field) {
      toast(problem.textContent);
      continue;
    }
    problem.id = `${field.id}-problem`;
    field.setAttribute("aria-invalid", "true");
    field.setAttribute("aria-describedby", problem.id);
    field.after(problem);
    field.focus();
  }
}

function clear(form) {
  form.querySelectorAll(".field__problem").forEach((problem) => problem.remove());
  form.querySelectorAll("[aria-invalid]").forEach((field) => field.removeAttribute("aria-invalid"));
}

async function submitted(event) {
  const form = event.target.closest(forms);
  if (!form) return;
  event.preventDefault();
  // A second press before the answer is there would make a second task.
  if (form.dataset.sending) return;
  form.dataset.sending = "yes";
  clear(form);
  const values = new URLSearchParams(new FormData(form, event.submitter));
  try {
    const response = await post(form.action, values);
    const html = await response.text();
    if (response.ok) changed(form, html);
    else if (response.status === 422 && html.includes("data-of")) showProblems(form, html);
    else {
      toast(html);
      // Somebody was faster: what it says now is to be seen.
      if (response.status === 409) changedMeanwhile(form);
    }
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    toast(error.message);
  } finally {
    delete form.dataset.sending;
  }
}

function changedMeanwhile(form) {
  const details = form.closest("details");
  if (details) details.open = false;
  form.closest("[data-task]")?.querySelector("[data-task-link]").focus();
  look();
}

const AFTER = {
  finish(form, fresh) {
    form.closest("[data-task]").replaceWith(fresh);
    fresh.querySelector("[data-task-next] input[name=title]")?.focus();
    announce(fresh.querySelector(".task__asks")?.textContent ?? "");
    const { action } = fresh.querySelector("form[data-task-form=reopen]");
    remember(() => reopen(fresh.id, action));
  },
  next(form) {
    leave(form);
  },
  add(form) {
    const { value } = form.querySelector("[name=title]");
    form.reset();
    form.querySelector("[name=title]").focus();
    announce(text("taskAdded", { title: value }));
  },
  reopen(form, fresh) {
    form.closest("[data-task]").replaceWith(fresh);
    fresh.querySelector("[data-task-link]").focus();
  },
  due(form) {
    form.closest("details").open = false;
    form.closest("[data-task]").querySelector("[data-task-link]").focus();
  },
};

/** It is open again, and nobody asks for the step after it. The sentence that tells of it. */
async function reopen(id, action) {
  const task = parse(await send(action, {})).querySelector("[data-task]");
  const link = task.querySelector("[data-task-link]");
  document.getElementById(id)?.replaceWith(task);
  if (link.isConnected) link.focus();
  look();
  return text("taskOpen", { title: link.textContent.trim() });
}

function changed(form, html) {
  // Only finishing has a way back, and is remembered below.
  forget();
  AFTER[form.dataset.taskForm](form, parse(html).querySelector("[data-task]"));
  look();
}

/** The question for the next step is answered, or passed over. */
function leave(within) {
  const task = within.closest("[data-task]");
  task.querySelector("[data-task-next]")?.remove();
  task.querySelector("[data-task-link]").focus();
}

const enter = (details) => details.querySelector("input:not([type=hidden]), button").focus();

function opened({ target }) {
  if (target.matches?.("[data-task-open]") && target.open && !target.contains(document.activeElement.closest("form"))) enter(target);
}

function pressed(event) {
  if (!list()?.contains(event.target) || event.ctrlKey || event.metaKey || event.altKey) return;
  const task = event.target.closest("[data-task]");
  if (event.key === "Escape" && task) {
    const open = task.querySelector("details[open]");
    if (open) open.open = false;
    else if (task.querySelector("[data-task-next]")) leave(event.target);
    else return;
    task.querySelector("[data-task-link]").focus();
  } else {
    return;
  }
  event.preventDefault();
}

function step({ target }, by) {
  const links = [...list().querySelectorAll("[data-task-link]")];
  links[links.indexOf(target) + by]?.focus();
}

function unfold({ target }, which) {
  const details = target.closest("[data-task]").querySelector(`[data-task-open=${which}]`);
  if (!details) return;
  details.open = true;
  enter(details);
}

const LINK = { on: "[data-tasks] [data-task-link]" };

if (list()) {
  document.addEventListener("submit", submitted);
  // 'toggle' does not bubble.
  document.addEventListener("toggle", opened, true);
  document.addEventListener("keydown", pressed);
  bind("task-up", (event) => step(event, -1), LINK);
  bind("task-down", (event) => step(event, 1), LINK);
  bind("task-done", (event) => unfold(event, "done"), LINK);
  bind("task-later", (event) => unfold(event, "later"), LINK);
  document.addEventListener("click", (event) => {
    const skip = event.target.closest("[data-task-skip]");
    if (!skip?.closest("[data-task]")) return;
    event.preventDefault();
    leave(skip);
    look();
  });
  const hear = ({ detail }) => soon("tasks", renew, detail.spread);
  document.addEventListener("trichter:task", hear);
  // Colleagues' tasks on an own deal are news of the deal, and with a deal its tasks change hands.
  document.addEventListener("trichter:deal", (news) => {
    if (news.detail.kind.startsWith("task.") || news.detail.kind === "deal.assigned") hear(news);
  });
  document.addEventListener("trichter:reconnected", hear);
}
