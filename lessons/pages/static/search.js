// Finds the sections that have all words of the query, headings first.
(() => {
  const TRACKS = { "": "Read", pytorch: "PyTorch", tensorflow: "TensorFlow" };
  const AROUND = 90; // letters shown before and after the first word found
  const MOST = 40;

  const query = new URLSearchParams(location.search).get("q")?.trim() ?? "";
  const words = query.toLowerCase().split(/\s+/).filter(Boolean);
  document.querySelector("input[name=q]").value = query;
  if (!words.length) return;

  function el(tag, properties, ...children) {
    const node = Object.assign(document.createElement(tag), properties);
    node.append(...children);
    return node;
  }

  const low = query.toLowerCase();

  function score(entry) {
    const [heading, text] = [`${entry.title} ${entry.heading}`.toLowerCase(), entry.words.toLowerCase()];
    if (!words.every((word) => heading.includes(word) || text.includes(word))) return 0;
    return 1 + 10 * words.filter((word) => heading.includes(word)).length + (text.includes(low) ? 5 : 0);
  }

  function excerpt(text) {
    const at = Math.max(0, text.toLowerCase().indexOf(words.find((word) => text.toLowerCase().includes(word)) ?? ""));
    const from = at > AROUND ? text.indexOf(" ", at - AROUND) + 1 : 0;
    const cut = text.slice(from, at + 2 * AROUND);
    const escaped = words.map((word) => word.replace(/[.*+?^${}()|[\]\\]/g, "\\$&")).join("|");
    return cut.split(new RegExp(`(${escaped})`, "i")).map((part, i) => (i % 2 ? el("mark", {}, part) : part));
  }

  const found = INDEX.map((entry) => [score(entry), entry]).filter(([points]) => points).sort(([a], [b]) => b - a);
  const many = found.length === 1 ? "1 section has" : `${found.length} sections have`;
  const shown = found.length > MOST ? `; the first ${MOST} are shown` : "";
  document.getElementById("said").textContent = `${many} “${query}”${shown}.`;
  document.getElementById("found").append(...found.slice(0, MOST).map(([, entry]) => {
    const links = entry.pages.flatMap(([track, href]) =>
      [" ", el("a", { href, ariaLabel: `${entry.title}, ${entry.heading}: ${TRACKS[track]}` }, TRACKS[track])]);
    const name = entry.heading === entry.title ? entry.title : `${entry.title} › ${entry.heading}`;
    return el("li", {}, el("strong", {}, name), ...links, el("p", {}, ...excerpt(entry.words)));
  }));
})();
