// What was written on a page that was open for too long, or while logged out, is sent again with the
// token of the log-in that there is by now, in another window perhaps: one press is enough.

const form = document.querySelector("form[data-again]");
const viewerOf = (page) => page.getElementById("texts")?.dataset.viewer;
const SECONDS = 5;
let isSent = false;

/** Nobody sends what somebody else wrote here: then the old token stays, and the server asks again. */
async function renew() {
  const answer = await fetch(form.dataset.again).catch(() => null);
  if (!answer?.ok) return;
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  const token = page.querySelector('meta[name="csrf-token"]')?.content;
  const was = viewerOf(document);
  if (token && (!was || was === viewerOf(page))) form.elements.csrf_token.value = token;
}

form?.addEventListener("submit", async (event) => {
  event.preventDefault();
  if (isSent) return;
  isSent = true;
  await renew();
  form.submit();
  // Whoever stops the page, or comes back to it, can try again.
  setTimeout(() => (isSent = false), SECONDS * 1000);
});
