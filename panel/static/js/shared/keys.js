// Keys for acts. Their names and keys are declared by the server (panel/shortcuts.py); a behaviour
// binds a name, and the help shows what is bound on the page.

const declared = JSON.parse(document.body.dataset.keys ?? "{}");
const bound = new Map();

/** Names of what can be done with keys on this page. */
export const holding = () => new Set(bound.keys());

const WRITES = "textarea, select, [contenteditable], input:not([type=checkbox], [type=radio], [type=button])";
const OPEN = "dialog[open], dialog:popover-open";

/** What the keyboard writes here: letters of other alphabets are known by their place. */
function written(event) {
  if (event.key === " ") return "space";
  const key = event.key?.toLowerCase() ?? "";
  const isForeign = key.length === 1 && key > "\u007f";
  return isForeign && /^Key[A-Z]$/.test(event.code) ? event.code.at(-1).toLowerCase() : key;
}

function matches(combination, event) {
  const parts = combination.toLowerCase().split("+");
  const key = parts.pop();
  if (written(event) !== key) return false;
  const isSign = key.length === 1 && !/[a-z]/.test(key);
  // AltGr writes the brackets on many keyboards, and Shift the question mark.
  const graph = isSign && event.getModifierState("AltGraph");
  const control = (event.ctrlKey || event.metaKey) && !graph;
  if (control !== parts.includes("control") || (event.altKey && !graph)) return false;
  return isSign || event.shiftKey === parts.includes("shift");
}

function fits(one, combination, event) {
  if (!matches(combination, event)) return false;
  if (one.on) return event.target.matches?.(one.on);
  // Of a dialog that was just closed, the field is left by the browser a moment later.
  const inField = event.target.closest?.(WRITES)?.checkVisibility();
  if (inField && (!combination.startsWith("Control") || !one.inFields)) return false;
  const open = document.querySelector(OPEN);
  return !open;
}

function pressed(event) {
  if (event.defaultPrevented || event.isComposing) return;
  for (const [name, ways] of bound) {
    for (const one of ways) {
      if (!declared[name].some((combination) => fits(one, combination, event))) continue;
      // A behaviour that has nothing to do here leaves the key to others.
      if (one.run(event) === false) continue;
      event.preventDefault();
      return;
    }
  }
}

/** Runs work at the keys of a name: anywhere but in fields and beside open dialogs, or only on what a
    selector names (`on`); `inFields`: those with Control hold in fields, too. Work that gives false
    has not used the key. */
export function bind(name, run, { on = "", inFields = false } = {}) {
  if (!declared[name]) throw new Error(`no shortcut ${name}`);
  if (!bound.size) document.addEventListener("keydown", pressed);
  bound.set(name, [...(bound.get(name) ?? []), { run, on, inFields }]);
}
