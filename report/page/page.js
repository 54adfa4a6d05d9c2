"use strict";
(() => {
  const $ = id => document.getElementById(id);

  // The theme follows the system until somebody chooses.
  const themes = ["system", "light", "dark"], theme = $("theme");
  theme.hidden = false;
  theme.addEventListener("click", () => {
    const root = document.documentElement;
    const next = themes[(themes.indexOf(root.dataset.theme || "system") + 1) % themes.length];
    if (next === "system") delete root.dataset.theme;
    else root.dataset.theme = next;
    theme.textContent = "Theme: " + next;
  });

  // On paper nothing can be opened.
  let opened = [];
  addEventListener("beforeprint", () => {
    opened = [...document.querySelectorAll("details:not([open])")];
    for (const d of opened) d.open = true;
  });
  addEventListener("afterprint", () => { for (const d of opened) d.open = false; });

  // A link to an endpoint or a finding opens it, and shows it if it was filtered out.
  const reveal = () => {
    const at = /^#(endpoint|finding)-/.test(location.hash) && $(location.hash.slice(1));
    if (!at) return;
    if (at.hidden) $("filters").reset();
    const d = at.querySelector("details") || at.closest("details");
    d.open = true;
    setTimeout(() => { at.scrollIntoView(); d.querySelector("summary").focus({ preventScroll: true }); });
  };
  addEventListener("hashchange", reveal);
  document.addEventListener("click", e => {
    const a = e.target.closest("a[href^='#endpoint-'], a[href^='#finding-']");
    if (a && a.hash === location.hash) reveal();
  });

  const form = $("filters"), list = $("rows");
  if (!form) return reveal();
  form.hidden = false;
  const rows = [...list.children];
  const words = new Map(); // what a row is searched for; made when the first search needs it
  const wordsOf = row => {
    if (!words.has(row)) words.set(row, row.textContent.toLowerCase());
    return words.get(row);
  };

  const filter = () => {
    const wanted = $("text").value.toLowerCase().split(/\s+/).filter(Boolean);
    const protocol = $("protocol").value;
    const severities = new Set([...form.querySelectorAll("[name=severity]:checked")].map(c => c.value));
    let shown = 0;
    for (const row of rows) {
      const fits = severities.has(row.dataset.severity) && (!protocol || row.dataset.protocol === protocol) &&
        wanted.every(w => wordsOf(row).includes(w));
      row.hidden = !fits;
      if (fits) shown++;
    }
    const noun = rows.length === 1 ? " finding" : " findings";
    $("count").textContent = shown === rows.length ? shown + noun : shown + " of " + rows.length + noun;
    $("none").hidden = shown > 0;
    $("table").hidden = shown === 0;
  };
  form.addEventListener("input", filter);
  form.addEventListener("submit", e => e.preventDefault());
  form.addEventListener("reset", () => setTimeout(filter));

  const openAll = open => () => {
    for (const row of rows) if (!row.hidden) row.querySelector("details").open = open;
  };
  $("open").addEventListener("click", openAll(true));
  $("close").addEventListener("click", openAll(false));

  const text = new Intl.Collator("en", { numeric: true });
  const by = {
    severity: (a, b) => a.dataset.rank - b.dataset.rank,
    id: (a, b) => text.compare(a.dataset.id, b.dataset.id),
    where: (a, b) => text.compare(a.dataset.where, b.dataset.where),
    known: (a, b) => text.compare(a.dataset.known, b.dataset.known),
  };
  for (const button of document.querySelectorAll("[data-sort]")) {
    button.addEventListener("click", () => {
      const head = button.parentElement, key = button.dataset.sort, now = head.getAttribute("aria-sort");
      const first = key === "severity" ? "descending" : "ascending";
      const next = now === "none" ? first : now === "ascending" ? "descending" : "ascending";
      for (const h of head.parentElement.children) h.setAttribute("aria-sort", h === head ? next : "none");
      const sign = next === "ascending" ? 1 : -1;
      const sorted = [...rows].sort((a, b) => sign * by[key](a, b) || b.dataset.rank - a.dataset.rank);
      list.append(...sorted);
      rows.splice(0, rows.length, ...sorted);
    });
  }
  reveal();
})();
