// Preset by preset: which library, how its sender signs, how it judges. `signs` is true where the signature is the
// library's own work; elsewhere the library only verifies, and we make the signature by the vendor's documentation.

import { bodies } from "./bodies.mjs";
import { forms } from "./forms.mjs";
import { keyed } from "./keyed.mjs";
import { timed } from "./timed.mjs";

export const senders = { ...bodies, ...forms, ...keyed, ...timed };
