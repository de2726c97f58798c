// A form that loads the next page: an impatient second click would send it again, and make a second
// contact, note or department; and while the server is not there, the browser's own page would take
// the place of what was written. What a script sends is its own business.

import { isThere } from "./shared/http.js";
import { text, toast } from "./shared/page.js";

const SECONDS = 5;
const sent = new WeakSet();
const ready = new WeakSet();

async function sendIfThere(form, submitter) {
  const isUp = await isThere();
  if (!form.isConnected) {
    // The page was renewed meanwhile, and this form with it: it can't be sent any more.
    sent.delete(form);
    toast(text("failed"));
  } else if (isUp) {
    ready.add(form);
    form.requestSubmit(submitter);
  } else {
    sent.delete(form);
    toast(text("offline"));
  }
}

// On the window: all that listen on the document have had their say by then.
addEventListener("submit", (event) => {
  const { target: form, submitter } = event;
  if (event.defaultPrevented || form.method !== "post" || ready.delete(form)) return;
  if (sent.has(form)) {
    event.preventDefault();
    return;
  }
  sent.add(form);
  // Whoever stops the page, or comes back to it, can try again.
  setTimeout(() => sent.delete(form), SECONDS * 1000);
  if (!document.body.dataset.healthUrl) return;
  event.preventDefault();
  sendIfThere(form, submitter);
});
