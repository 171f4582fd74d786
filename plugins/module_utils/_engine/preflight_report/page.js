
// SPDX-License-Identifier: GPL-3.0-or-later
(() => {
  "use strict";
  const by = (id) => document.getElementById(id);
  const data = JSON.parse(by("data").textContent);
  const form = by("filter"), text = by("text"), group = by("group"), dialog = by("detail");
  const boxes = [...form.querySelectorAll("input[name=state]")];
  const rows = [...document.querySelectorAll("#matrix tbody tr")];
  const heads = [...document.querySelectorAll("#matrix .ids th")].slice(1);
  const groups = [...document.querySelectorAll("#matrix .groups th")];
  const articles = rows.map((row) => by(`c${row.dataset.c}`)); // none where all is green
  const silentState = { blocked: "block" };

  // One entry a cell: where it is, what it says, and the finding below that says it again.
  const cells = rows.flatMap((row, c) => [...row.querySelectorAll("button")].map((button) => {
    const cluster = data.clusters[c], k = Number(button.dataset.k), check = data.checks[k];
    const [state, evidence, remedy] = cluster.checks[check.id];
    const words = [cluster.host, check.id, check.title, check.group, evidence, remedy].join("\n").toLowerCase();
    return { button, c, k, check, cluster, state, evidence, remedy, words, finding: articles[c]?.querySelector(`[data-k="${k}"]`) };
  }));
  const cellOf = new Map(cells.map((cell) => [cell.button, cell]));
  let opened = null;

  const wanted = () => ({
    words: text.value.toLowerCase().split(/\s+/).filter(Boolean),
    group: group.value,
    states: new Set(boxes.filter((box) => box.checked).map((box) => box.value)),
  });

  function apply() {
    const want = wanted();
    const open = !want.words.length && !want.group && want.states.size === boxes.length;
    const says = (words) => want.words.every((word) => words.includes(word));
    const rowHas = rows.map(() => false), columnHas = heads.map(() => false);
    let matching = 0;
    for (const cell of cells) {
      const match = want.states.has(cell.state) && (!want.group || cell.check.group === want.group) && says(cell.words);
      cell.button.classList.toggle("dim", !match);
      if (cell.finding) cell.finding.hidden = !match;
      if (match) { matching += 1; rowHas[cell.c] = columnHas[cell.k] = true; }
    }
    data.clusters.forEach((cluster, c) => {
      if (rowHas[c] || (Object.keys(cluster.checks).length && !cluster.twin)) return;
      const words = `${cluster.host}\n${cluster.message}`.toLowerCase();
      rowHas[c] = !want.group && want.states.has(silentState[cluster.verdict] || "error") && says(words);
    });
    rows.forEach((row, c) => {
      row.hidden = !(open || rowHas[c]);
      if (articles[c]) articles[c].hidden = row.hidden;
    });
    showColumns(columnHas, open);
    const seen = rows.filter((row) => !row.hidden).length;
    by("nothing").hidden = seen > 0;
    by("count").textContent = `${matching} of ${cells.length} results, ${seen} of ${rows.length} clusters`;
    rove();
  }

  function showColumns(has, open) {
    heads.forEach((head, k) => { head.hidden = !(open || has[k]); });
    for (const row of rows) {
      if (row.children.length === heads.length + 1) [...row.children].slice(1).forEach((item, k) => { item.hidden = heads[k].hidden; });
    }
    const count = heads.filter((head) => !head.hidden).length;
    document.querySelectorAll("#matrix .silent").forEach((item) => { item.colSpan = Math.max(count, 1); });
    let k = 0;
    for (const head of groups) {
      const members = heads.slice(k, k + Number(head.dataset.size));
      k += members.length;
      const shown = members.filter((member) => !member.hidden).length;
      head.hidden = !shown;
      head.colSpan = Math.max(shown, 1);
    }
  }

  // One cell of the table is in the tab order; arrow keys lead to the others.
  function rove(target) {
    const current = target || cells.map((cell) => cell.button).find((button) => button.tabIndex === 0 && button.offsetParent);
    const first = current || cells.map((cell) => cell.button).find((button) => button.offsetParent);
    for (const cell of cells) cell.button.tabIndex = cell.button === first ? 0 : -1;
    if (target) target.focus();
  }

  function step(button, down, right) {
    const seen = cells.filter((cell) => cell.button.offsetParent), here = cellOf.get(button);
    const same = seen.filter((cell) => (down ? cell.k === here.k : cell.c === here.c));
    const next = same[same.indexOf(here) + down + right];
    if (next) rove(next.button);
  }

  function show(cell) {
    opened = cell;
    by("detail-title").textContent = `${cell.check.id} ${cell.check.title}`;
    by("detail-about").textContent = `${cell.cluster.host} · ${cell.state}: ${data.meanings[cell.state]} · ${cell.check.group}`;
    by("detail-evidence").textContent = cell.evidence || "Nothing was noted.";
    by("detail-remedy").textContent = cell.remedy;
    for (const part of ["evidence", "remedy"]) by(`detail-${part}`).classList.toggle("lines", cell[part].includes("\n"));
    by("detail-do").hidden = !cell.remedy;
    if (!dialog.open) dialog.showModal();
    remember();
  }

  // The filter and the open result are in the address, so that a link leads to what one sees.
  function remember() {
    const want = wanted(), found = new URLSearchParams();
    if (text.value) found.set("text", text.value);
    if (want.group) found.set("group", want.group);
    if (want.states.size < boxes.length) found.set("state", [...want.states].join(","));
    if (opened) found.set("open", `${opened.cluster.host},${opened.check.id}`);
    try { history.replaceState(null, "", `#${found}`); } catch { /* some browsers refuse it for files */ }
  }

  function recall() {
    if (/^#(c\d+|findings)$/.test(location.hash)) return;
    const found = new URLSearchParams(location.hash.slice(1));
    text.value = found.get("text") || "";
    group.value = found.get("group") || "";
    if (group.selectedIndex < 0) group.value = "";
    const states = found.has("state") ? found.get("state").split(",") : null;
    for (const box of boxes) box.checked = !states || states.includes(box.value);
    apply();
    const name = found.get("open");
    const cell = name && cells.find((one) => `${one.cluster.host},${one.check.id}` === name);
    if (cell) show(cell);
  }

  form.addEventListener("input", () => { apply(); remember(); });
  form.addEventListener("submit", (event) => event.preventDefault());
  by("everything").addEventListener("click", () => { form.reset(); apply(); remember(); });
  by("problems").addEventListener("click", () => {
    for (const box of boxes) box.checked = !["skip", "pass"].includes(box.value);
    apply();
    remember();
  });
  by("matrix").addEventListener("click", (event) => {
    const cell = cellOf.get(event.target.closest("button"));
    if (cell) { rove(cell.button); show(cell); }
  });
  by("matrix").addEventListener("keydown", (event) => {
    const moves = { ArrowDown: [1, 0], ArrowUp: [-1, 0], ArrowRight: [0, 1], ArrowLeft: [0, -1] };
    if (!cellOf.has(event.target) || !(event.key in moves)) return;
    event.preventDefault();
    step(event.target, ...moves[event.key]);
  });
  by("detail-close").addEventListener("click", () => dialog.close());
  dialog.addEventListener("click", (event) => { if (event.target === dialog) dialog.close(); });
  dialog.addEventListener("close", () => { opened = null; remember(); });
  addEventListener("hashchange", recall);
  form.hidden = false;
  recall();
  apply();
})();
