// What the page knows at the moment. Nothing of it outlives the tab.
export const state = {
  readings: [], // what was opened: {id, name, file, url, kind, status, trouble, documents, model, document, subjects, wave, note}
  current: null,
  subject: "", // key of the shown face or voice
  moment: null, // seconds, null: the whole
  wanted: "relative",
  selected: "", // emotion
  sort: { by: "value", down: true },
  comparing: false,
  compareWith: "", // id of a choice
  pins: [],
  info: {}, // the server's answer about itself
};

export const subjectNow = () => state.current?.subjects?.find((item) => item.key === state.subject) ?? null;

/** Model that the person chose for a kind, "" for the server's own choice. */
export const chosenModels = { face: "", voice: "" };
