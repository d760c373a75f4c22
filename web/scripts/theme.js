// Runs before the page is painted: says that there are scripts, and sets the
// theme that was chosen on this browser, if it is not the system's.
const root = document.documentElement;
root.classList.add("scripted");

const themes = ["system", "light", "dark"];

function chosen() {
  try {
    const theme = localStorage.getItem("theme");
    return themes.includes(theme) ? theme : "system";
  } catch {
    return "system"; // Storage is not allowed here.
  }
}

function apply(theme) {
  if (theme === "system") delete root.dataset.theme;
  else root.dataset.theme = theme;
  const button = document.getElementById("theme");
  if (!button) return;
  button.textContent = theme[0].toUpperCase() + theme.slice(1);
  button.setAttribute("aria-label", `Theme: ${theme}`);
  button.title = "Change the theme";
}

apply(chosen());
addEventListener("DOMContentLoaded", () => {
  apply(chosen());
  document.getElementById("theme")?.addEventListener("click", () => {
    const theme = themes[(themes.indexOf(chosen()) + 1) % themes.length];
    try {
      localStorage.setItem("theme", theme);
    } catch { /* It then holds for this page only. */ }
    apply(theme);
  });
});
