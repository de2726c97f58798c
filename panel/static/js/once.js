// An impatient second click on a form that loads the next page would send it again, and make a second
// contact, note or department. What a script sends is its own business.

const SECONDS = 5;
const sent = new WeakSet();

// On the window: all that listen on the document have had their say by then.
addEventListener("submit", (event) => {
  const form = event.target;
  if (event.defaultPrevented || form.method !== "post") return;
  if (sent.has(form)) {
    event.preventDefault();
    return;
  }
  sent.add(form);
  // Whoever stops the page, or comes back to it, can try again.
  setTimeout(() => sent.delete(form), SECONDS * 1000);
});
