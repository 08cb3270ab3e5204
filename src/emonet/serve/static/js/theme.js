// Runs before the page is drawn, so that it never flashes in the wrong colours. The choice stays in this browser.
(() => {
  let chosen = "auto";
  try { chosen = localStorage.getItem("emonet-theme") || "auto"; } catch { /* storage is switched off */ }
  document.documentElement.dataset.theme = ["auto", "light", "dark"].includes(chosen) ? chosen : "auto";
})();
