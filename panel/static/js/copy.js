// Buttons that copy a text of the page. Where the browser has no clipboard (plain HTTP) they stay
// hidden, and the text is selected by hand.

for (const button of document.querySelectorAll("[data-copy]")) {
  if (!navigator.clipboard) break;
  button.hidden = false;
  button.addEventListener("click", async () => {
    await navigator.clipboard.writeText(document.getElementById(button.dataset.copy).textContent);
    button.classList.add("is-done");
  });
}
