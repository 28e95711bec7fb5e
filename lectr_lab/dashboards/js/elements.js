// Elements are made, never parsed: what a client sent becomes text.
const SVG = "http://www.w3.org/2000/svg";
function h(tag, attributes, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes || {}))
    if (name === "style") Object.assign(made.style, value);
    else if (value != null && value !== false) made.setAttribute(name, value === true ? "" : value);
  made.append(...children.flat(Infinity).filter(child => child != null && child !== "" && child !== false));
  return made;
}
function s(tag, attributes, text) {
  const made = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes))
    if (value != null) made.setAttribute(name, value);
  if (text != null) made.textContent = text;
  return made;
}
// A name stands apart, whichever way it is written, so that figures stay where they are.
const bdi = name => h("bdi", {}, name);
const said = parts => parts.map(part => typeof part === "string" ? part : bdi(part.name));
const plain = parts => parts.map(part => typeof part === "string" ? part : part.name).join("");
const button = (attributes, ...children) => h("button", { type: "button", ...attributes }, ...children);

