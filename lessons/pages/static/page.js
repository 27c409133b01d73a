// The pictures of the views come to life.
for (const place of document.querySelectorAll(".view")) {
  const [picture, state, note] = place.children;
  const { pruneviz } = globalThis;
  pruneviz.offline.show(pruneviz[place.dataset.kind], state.textContent, place, "h2");
  picture.classList.add("still");
  state.remove();
  place.append(note);
  const look = () => { note.hidden = !place.querySelector(":is(input, select):disabled"); };
  requestAnimationFrame(() => requestAnimationFrame(look)); // once it is drawn
}
