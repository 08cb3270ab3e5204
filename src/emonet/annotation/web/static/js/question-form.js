// A questionnaire: native fields, checked where they are, sent in one go.
import { h, say } from "./dom.js";

export function form(context, unit) {
  const fields = context.protocol.form.map((field) => ({ ...field, id: `field-${field.name}` }));
  const node = h("form", { novalidate: true, class: "fields" });
  const input = (field) => {
    const shared = { id: field.id, name: field.name, "aria-describedby": `${field.id}-error`, "aria-required": String(field.required) };
    if (field.kind === "select") return h("select", shared, h("option", { value: "" }, "Choose"), field.options.map((option) => h("option", { value: option }, option)));
    if (field.kind === "textarea") return h("textarea", { ...shared, maxlength: "10000" });
    if (field.kind === "checkbox") return h("input", { ...shared, type: "checkbox" });
    return h("input", { ...shared, type: "text", maxlength: "10000" });
  };
  for (const field of fields) {
    const control = (field.node = input(field));
    const optional = field.required ? null : h("span", { class: "soft" }, " (if you like)");
    field.error = h("p", { class: "error", id: `${field.id}-error`, hidden: true });
    node.append(field.kind === "checkbox"
      ? h("div", { class: "field" }, h("div", { class: "check" }, control, h("label", { for: field.id }, field.label, optional)), field.error)
      : h("div", { class: "field" }, h("label", { for: field.id }, field.label, optional), control, field.error));
  }
  node.append(h("div", {}, h("button", { class: "button" }, "Send")));
  const value = (field) => (field.kind === "checkbox" ? (field.node.checked ? "yes" : "no") : field.node.value.trim());
  node.addEventListener("submit", (event) => {
    event.preventDefault();
    let first = null;
    for (const field of fields) {
      const given = value(field), bad = field.required && (field.kind === "checkbox" ? given !== "yes" : !given);
      field.error.hidden = !bad;
      field.error.textContent = bad ? (field.kind === "checkbox" ? "Please tick this to go on." : "Please answer this.") : "";
      field.node.setAttribute("aria-invalid", String(bad));
      if (bad) first ??= field.node;
    }
    if (first) { first.focus(); say("Some answers are missing"); return; }
    context.answer({}, Object.fromEntries(fields.map((field) => [field.name, value(field)]).filter(([, given]) => given)));
  });
  return {
    root: h("div", { class: "form-page" }, h("section", { class: "sheet" }, h("h1", { id: "question" }, unit.question), node)),
    ready: Promise.resolve(), focus: () => fields[0]?.node.focus(), key: () => false, pause() {}, destroy() {},
  };
}
