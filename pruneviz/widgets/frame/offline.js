// A page without a kernel: what stands there for a widget's model.

const bytes = (text) => new DataView(Uint8Array.from(atob(text), (c) => c.charCodeAt(0)).buffer);
const given = (_, value) => (typeof value?.base64 === "string" ? bytes(value.base64) : value);

class Model {
  offline = true;
  listeners = new Map();

  constructor(state, heading) {
    this.state = state;
    this.heading = heading;
  }

  get(name) { return this.state[name]; }

  set(name, value) {
    if (this.state[name] === value) return;
    this.state[name] = value;
    for (const listener of [...(this.listeners.get(`change:${name}`) ?? [])]) listener();
  }

  on(name, listener) { this.listeners.set(name, [...(this.listeners.get(name) ?? []), listener]); }

  off(name, listener) {
    const left = listener ? (this.listeners.get(name) ?? []).filter((other) => other !== listener) : [];
    this.listeners.set(name, left);
  }

  save_changes() {}

  send() {}
}

/** Show a view, whose state is written as JSON, in an element, under a heading such as "h1"; gives its model. */
function show(view, json, el, heading) {
  const model = new Model(JSON.parse(json, given), heading);
  view.render({ model, el });
  return model;
}

export default { show };
