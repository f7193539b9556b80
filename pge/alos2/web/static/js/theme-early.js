// Before anything is drawn: light or dark, as chosen here or by the system.
(() => {
  const wanted = localStorage.getItem("alos2-theme");
  const dark = wanted ? wanted === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
  document.documentElement.dataset.theme = dark ? "dark" : "light";
})();
