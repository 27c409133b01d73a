// The pictures of the views come to life.
const models = [];
for (const place of document.querySelectorAll(".view")) {
  const [picture, state, note] = place.children;
  const { pruneviz } = globalThis;
  models.push(pruneviz.offline.show(pruneviz[place.dataset.kind], state.textContent, place, "h2"));
  picture.classList.add("still");
  state.remove();
  place.append(note);
  const look = () => {
    const grey = [...place.querySelectorAll(":is(input, select):disabled")];
    note.hidden = !grey.some((control) => control.checkVisibility());
  };
  requestAnimationFrame(() => requestAnimationFrame(look)); // once it is drawn
}
// What would tell the answer waits for a guess.
for (const guesses of document.querySelectorAll(".guesses")) {
  guesses.addEventListener("click", ({ target }) => {
    if (!target.matches("button")) return;
    for (const one of guesses.children) one.setAttribute("aria-pressed", String(one === target));
    for (const [name, value] of Object.entries(JSON.parse(guesses.dataset.revealed))) models[0].set(name, value);
  });
}
