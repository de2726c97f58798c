// Control-Z takes back what was done last, on every page.

import { bind } from "./shared/keys.js";
import { inTurn, undoLast } from "./shared/undo.js";

// In a field it belongs to what is written there.
bind("undo", () => inTurn(undoLast));
