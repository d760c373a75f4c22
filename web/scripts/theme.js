// Runs before the page is painted: says that there are scripts, and sets the
// theme that was chosen on this browser, if it is not the system's.
const root = document.documentElement;
root.classList.add("scripted");

const labels = { system: "Auto", light: "Light", dark: "Dark" };
const themes = Object.keys(labels);

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
  button.textContent = `${labels[theme]} theme`;
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
