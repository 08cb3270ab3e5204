// What the server wrote into the page: groups, emotions in the order of the chart, attributes.
import { $ } from "./dom.js";

export const SETUP = JSON.parse($("setup").textContent);
export const GROUPS = SETUP.groups;
export const EMOTIONS = SETUP.emotions;
export const BY_KEY = new Map(EMOTIONS.map((emotion) => [emotion.key, emotion]));
export const ATTRIBUTES = SETUP.attributes;

export const nameOf = (key) =>
  BY_KEY.get(key)?.name ?? ATTRIBUTES.find((item) => item.key === key)?.name ?? key;

export const SCALES = {
  relative: { name: "Strength above neutral", short: "strength", of: (thing) => `above or below a neutral ${thing}` },
  raw: { name: "Raw score", short: "raw score", of: () => "raw model output" },
  calibrated: { name: "Calibrated probability", short: "probability", of: () => "calibrated probability" },
};

// A taxonomy of one's own may have other groups: those beyond the styles' seven take their colours from the server.
if (GROUPS.length > 7) {
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(GROUPS.map(({ color }, place) => (place < 7 ? "" : `.c${place}, .g${place} { --c: ${color}; } .f${place} { --f: ${color}; }`)).join("\n"));
  document.adoptedStyleSheets = [sheet];
}
