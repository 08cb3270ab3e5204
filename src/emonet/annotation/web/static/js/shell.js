// What every page has: the account menu, the appearance, passwords that can be shown, confirmation before what is final.
const root = document.documentElement;

for (const input of document.querySelectorAll(".theme-choice input"))
  input.addEventListener("change", () => {
    root.dataset.theme = input.value;
    const secure = location.protocol === "https:" ? "; Secure" : "";
    document.cookie = `theme=${input.value}; Path=/; Max-Age=31536000; SameSite=Lax${secure}`;
    dispatchEvent(new Event("emonet:theme"));
  });

const menu = document.querySelector(".menu");
if (menu) {
  document.addEventListener("click", (event) => { if (!menu.contains(event.target)) menu.open = false; });
  menu.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || !menu.open) return;
    menu.open = false;
    menu.querySelector("summary").focus();
    event.stopPropagation();
  });
}

for (const button of document.querySelectorAll("[data-shows]")) {
  const field = document.getElementById(button.dataset.shows);
  button.addEventListener("click", () => {
    const shown = field.type === "text";
    field.type = shown ? "password" : "text";
    button.textContent = shown ? "Show" : "Hide";
    button.setAttribute("aria-pressed", String(!shown));
  });
}

for (const form of document.querySelectorAll("form[data-confirm]"))
  form.addEventListener("submit", (event) => { if (!confirm(form.dataset.confirm)) event.preventDefault(); });

document.querySelector("[aria-invalid=true]")?.focus();
