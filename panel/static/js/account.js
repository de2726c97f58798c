// What the browser allows of notifications, and the button that makes it ask.

const state = document.querySelector("[data-notify-state]");
const ask = document.querySelector("[data-notify-ask]");

function show() {
  const sentence = state.dataset[Notification.permission];
  if (sentence) state.textContent = sentence;
  ask.hidden = Notification.permission !== "default";
}

if (state && "Notification" in window) {
  show();
  ask.addEventListener("click", async () => {
    await Notification.requestPermission();
    show();
  });
}
