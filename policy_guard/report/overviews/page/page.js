"use strict";
const data = JSON.parse(document.getElementById("data").textContent);
const FIRST = 50;
const SHAPES = { matrix: "scroll field" };
const MOST_IN_MATRIX = 40;
const LEVELS = [["List", "list"], ["Read", "read"], ["Tagging", "tagging"], ["Write", "write"], ["Permissions management", "permissions"]];

function make(name, options = {}, ...children) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(options)) {
    if (key === "class") element.className = value;
    else if (key.startsWith("on")) element.addEventListener(key.slice(2), value);
    else element.setAttribute(key, value);
  }
  element.append(...children.filter((child) => child !== null && child !== undefined));
  return element;
}

function link(place) {
  const text = place.line ? `${place.path}:${place.line}` : place.path;
  return place.link ? make("a", { href: place.link }, text) : make("span", {}, text);
}

function section(id, title, ...children) {
  document.querySelector("#sections ul").append(make("li", {}, make("a", { href: `#${id}` }, title)));
  const element = make("section", { id, "aria-labelledby": `${id}-title` }, make("h2", { id: `${id}-title` }, title), ...children);
  document.getElementById("main").append(element);
  return element;
}

function scroll(label, table) {
  return make("div", { class: SHAPES[table.className] || (table.rows[0].cells.length > 5 ? "scroll wide" : "scroll"), tabindex: "0", role: "region", "aria-label": `${label}, table` }, table);
}

/* A table that is sorted by its headings. A column has a title, the value to sort by, and the cell to show. */
function sortable(label, columns, rows, filters = []) {
  let order = { column: 0, ascending: true };
  let shown = FIRST;
  let sorted = [];
  const drawn = new Map();
  const body = make("tbody");
  const count = make("p", { class: "dim", role: "status" });
  const everything = make("button", { class: "all", type: "button", onclick: () => { shown = Infinity; draw(); } }, "Show all");
  const headings = columns.map((column, index) =>
    make("th", { scope: "col" }, make("button", { type: "button", onclick: () => sort(index) }, column.title)));
  const table = make("table", {}, make("caption", { class: "skip" }, label), make("thead", {}, make("tr", {}, ...headings)), body);

  function sort(index) {
    order = { column: index, ascending: order.column === index ? !order.ascending : true };
    arrange();
    draw();
  }

  function arrange() {
    const value = columns[order.column].value;
    const compared = rows.map((row) => [value(row), row]);
    compared.sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0) * (order.ascending ? 1 : -1));
    sorted = compared.map(([, row]) => row);
    headings.forEach((heading, index) => heading.setAttribute("aria-sort", index !== order.column ? "none" : order.ascending ? "ascending" : "descending"));
  }

  function line(row) {
    if (!drawn.has(row)) drawn.set(row, make("tr", {}, ...columns.map((column) => make("td", { class: column.class || "" }, column.cell(row)))));
    return drawn.get(row);
  }

  function draw() {
    const matching = sorted.filter((row) => filters.every((filter) => filter.takes(row)));
    body.replaceChildren(...matching.slice(0, shown).map(line));
    count.textContent = matching.length === rows.length ? `${rows.length}` : `${matching.length} of ${rows.length}`;
    everything.hidden = matching.length <= shown;
    everything.textContent = `Show all ${matching.length}`;
  }

  for (const filter of filters) filter.listen(() => { shown = FIRST; draw(); });
  arrange();
  draw();
  const controls = filters.length ? make("div", { class: "filters" }, ...filters.map((filter) => filter.element), count) : count;
  return [controls, scroll(label, table), everything];
}

function textFilter(title, text) {
  const input = make("input", { type: "search", autocomplete: "off" });
  const texts = new Map();
  return {
    element: make("label", {}, title, input),
    listen: (draw) => input.addEventListener("input", draw),
    takes: (row) => {
      const wanted = input.value.trim().toLowerCase();
      if (!wanted) return true;
      if (!texts.has(row)) texts.set(row, text(row).toLowerCase());
      return texts.get(row).includes(wanted);
    },
  };
}

function choiceFilter(title, choices) {
  const select = make("select", {}, make("option", { value: "" }, "all"), ...choices.map(([name]) => make("option", { value: name }, name)));
  const tests = new Map(choices);
  return {
    element: make("label", {}, title, select),
    listen: (draw) => select.addEventListener("change", draw),
    takes: (row) => !select.value || tests.get(select.value)(row),
  };
}

function list(texts, most = 6) {
  if (texts.length <= most) return make("span", {}, texts.join(", "));
  return make("details", {}, make("summary", {}, `${texts.slice(0, most).join(", ")} and ${texts.length - most} more`), texts.slice(most).join(", "));
}

function severityOf(ids) {
  const severities = new Set(ids.map((id) => severities_by_id.get(id)));
  return ["error", "warning", "note"].find((severity) => severities.has(severity)) || "";
}

const severities_by_id = new Map(data.entries.map((entry) => [entry.id, entry.severity]));
const rows = data.policies;
/* One holder's policies of one file are a line; holders of two files may have one name. */
const principalOf = (row) => (row.holder ? `${row.holder}\n${row.place.path}` : row.name);

document.getElementById("about").textContent =
  `${data.revision}, ${data.day}. Every policy by itself, compared with nothing. Actions of ${data.catalogue}.`;
document.getElementById("sections").append(make("ul"));

const GRAVE = ["with critical permissions", "of administrators", "public", "unreadable"];
const TARGETS = {
  "with critical permissions": "matrix", "of administrators": "administrators", public: "callers",
  "with wildcards": "wildcards", unreadable: "unread",
};
const cards = make("ul", { class: "cards" });
for (const card of data.cards) {
  const change = card.before === null ? null : card.now - card.before;
  const trend = change === null ? null : make("span", { class: change > 0 ? "more" : change < 0 ? "less" : "dim" },
    change ? `${change > 0 ? "+" : ""}${change} since ${data.base}` : `as at ${data.base}`);
  const grave = GRAVE.includes(card.title) && card.now > 0;
  const link = make("a", { href: `#${TARGETS[card.title] || "policies"}` }, make("b", {}, card.now.toLocaleString("en")), card.title);
  cards.append(make("li", { class: grave ? "grave" : "" }, link, trend));
}
document.getElementById("main").append(cards);

function matrix() {
  const concerned = rows.filter((row) => row.critical.length);
  const entries = data.entries.filter((entry) => concerned.some((row) => row.critical.includes(entry.id)));
  if (!entries.length) return [make("p", {}, data.entries.length ? "No policy grants a critical permission." : "The settings name no critical list.")];
  const principals = new Map();
  for (const row of concerned) {
    const name = principalOf(row);
    principals.set(name, new Set([...(principals.get(name) || []), ...row.critical]));
  }
  const packs = new Map();
  for (const entry of entries) packs.set(packOf(entry), (packs.get(packOf(entry)) || 0) + 1);
  entries.sort((a, b) => [...packs.keys()].indexOf(packOf(a)) - [...packs.keys()].indexOf(packOf(b)));
  const groups = make("tr", {}, make("td", {}), ...[...packs].map(([pack, number]) => make("th", { scope: "colgroup", colspan: number, class: "pack", title: pack }, pack || "of the list itself")));
  const head = make("tr", {}, make("th", { scope: "col" }, "Principal or policy"), ...entries.map((entry) => make("th", { scope: "col", class: "entry", title: entry.reason }, make("span", {}, entry.id.slice(packOf(entry).length).replace(/^[/]/, "")))));
  const sorted = [...principals].sort(([, a], [, b]) => b.size - a.size);
  const body = sorted.slice(0, MOST_IN_MATRIX).map(([name, ids]) => make("tr", {}, make("th", { scope: "row", title: name }, ...named(name)),
    ...entries.map((entry) => ids.has(entry.id)
      ? make("td", { class: `cell ${entry.severity}`, title: `${name}: ${entry.id}` }, make("span", { role: "img", "aria-label": `grants, ${entry.severity}` }, "\u25cf"))
      : make("td", { class: "cell" }))));
  const rest = sorted.length > MOST_IN_MATRIX ? make("p", { class: "dim" }, `and ${sorted.length - MOST_IN_MATRIX} more; the table below has them all`) : null;
  return [scroll("Critical permissions", make("table", { class: "matrix" }, make("thead", {}, groups, head), make("tbody", {}, ...body))), rest];
}

function packOf(entry) {
  const slash = entry.id.indexOf("/");
  return slash < 0 ? "" : entry.id.slice(0, slash);
}

/* A holder with its file in small letters below. */
function named(name) {
  const [first, path] = name.split("\n");
  return path ? [first, make("span", { class: "dim path" }, path)] : [first];
}

function servicesMap(row) {
  const levels = Object.entries(data.levels[row.levels]);
  const total = ([, numbers]) => Object.values(numbers).reduce((a, b) => a + b, 0);
  const most = Math.max(1, ...levels.map(total));
  const bars = levels.sort((a, b) => total(b) - total(a)).slice(0, 40).flatMap(([service, numbers]) => [
    make("span", {}, service),
    make("span", { class: "bar", role: "img", "aria-label": LEVELS.filter(([name]) => numbers[name]).map(([name]) => `${name} ${numbers[name]}`).join(", ") },
      ...LEVELS.filter(([name]) => numbers[name]).map(([name, style]) => {
        const part = make("span", { class: `level-${style}`, title: `${name}: ${numbers[name]}` });
        part.style.width = `${(100 * numbers[name]) / most}%`;
        return part;
      })),
  ]);
  const rest = levels.length > 40 ? make("p", { class: "dim" }, `and ${levels.length - 40} services with fewer actions`) : null;
  return make("div", {}, make("div", { class: "services" }, ...bars), rest);
}

function legend() {
  return make("p", { class: "legend" }, ...LEVELS.map(([name, style]) => make("span", {}, make("i", { class: `level-${style}` }), name)));
}

/* The actions that a wildcard covers, as a tree of the words in their names. */
function tree(pattern) {
  const actions = data.covered[pattern];
  if (!actions) return make("p", { class: "dim" }, "covers too much to be drawn");
  const root = new Map();
  for (const action of actions) {
    let node = root;
    for (const word of action.match(/^[^:]+:|[A-Z][a-z0-9]*|[^A-Z:]+/g) || [action]) {
      if (!node.has(word)) node.set(word, new Map());
      node = node.get(word);
    }
  }
  const draw = (node) => make("ul", {}, ...[...node].map(([word, below]) => {
    let text = word;
    while (below.size === 1) { const [[next, deeper]] = below; text += next; below = deeper; }
    return make("li", {}, text, below.size ? draw(below) : null);
  }));
  return make("div", { class: "tree" }, draw(root));
}

function lazily(title, content) {
  const details = make("details", {}, make("summary", {}, title));
  details.addEventListener("toggle", () => { if (details.open && details.children.length === 1) details.append(content()); });
  return details;
}

function detailsOf(row) {
  const parts = [];
  if (Object.keys(data.levels[row.levels]).length) parts.push(lazily("services", () => servicesMap(row)));
  for (const pattern of row.wildcards.filter((text) => !text.startsWith("all but")).slice(0, 20)) parts.push(lazily(pattern, () => tree(pattern)));
  if (row.difference) parts.push(lazily(`since ${data.base}`, () => make("div", { class: "tree" },
    ...[["came", "more"], ["went", "less"], ["stayed", "dim"]].map(([name, style]) => row.difference[name].length
      ? make("div", {}, make("h3", {}, name), make("ul", {}, ...row.difference[name].map((text) => make("li", { class: style }, text)))) : null).filter(Boolean))));
  return make("div", {}, ...parts);
}

section("matrix", "Critical permissions", ...matrix().filter(Boolean));

section("policies", "All policies", legend(), ...sortable("All policies", [
  { title: "Policy", value: (row) => row.name, cell: (row) => make("span", {}, link(row.place), row.address ? make("br") : null, row.address ? make("span", { class: "dim" }, row.address) : null) },
  { title: "Kind", value: (row) => row.kind, cell: (row) => row.kind },
  { title: "Whose", value: (row) => row.holder, cell: (row) => row.holder },
  { title: "Read", value: (row) => row.read, cell: (row) => row.read },
  { title: "Critical", value: (row) => -row.critical.length, cell: (row) => make("span", { class: severityOf(row.critical) }, list(row.critical, 3)) },
  { title: "Public", value: (row) => (row.public ? 0 : 1), cell: (row) => (row.public ? make("span", { class: "error" }, "public") : "") },
  { title: "Look", value: (row) => -row.statements, cell: detailsOf },
], rows, [
  textFilter("Contains", (row) => [row.name, row.holder, row.kind, ...row.critical, ...row.wildcards, ...row.callers].join(" ")),
  choiceFilter("Kind", [...new Set(rows.map((row) => row.kind))].sort().map((kind) => [kind, (row) => row.kind === kind])),
  choiceFilter("With", [
    ["critical permissions", (row) => row.critical.length], ["administrators", (row) => row.administrator.length], ["public access", (row) => row.public],
    ["callers of other accounts", (row) => row.callers.length], ["wildcards", (row) => row.wildcards.length], ["unused access", (row) => row.unused.length],
    ["open questions", (row) => row.undecided.length], ["unknown texts or choices", (row) => row.read !== "exactly"],
  ]),
]));

const policyColumn = { title: "Policy", value: (row) => row.name, cell: (row) => link(row.place) };
section("administrators", "Administrators", ...sortable("Administrators", [policyColumn,
  { title: "Whose", value: (row) => row.holder, cell: (row) => row.holder },
  { title: "By", value: (row) => row.administrator.join(), cell: (row) => row.administrator.join(", ") },
], rows.filter((row) => row.administrator.length)));

section("callers", "Who is let in", ...sortable("Who is let in", [policyColumn,
  { title: "Kind", value: (row) => row.kind, cell: (row) => row.kind },
  { title: "Public", value: (row) => (row.public ? 0 : 1), cell: (row) => (row.public ? make("span", { class: "error" }, "public") : "no") },
  { title: "Callers", value: (row) => row.callers.join(), cell: (row) => list(row.callers), class: "text" },
], rows.filter((row) => row.callers.length || row.public)));

section("wildcards", "Wildcards by service", ...sortable("Wildcards by service", [
  { title: "Service", value: (row) => row.service, cell: (row) => row.service },
  { title: "Policies", value: (row) => -row.policies, cell: (row) => String(row.policies) },
  { title: "Patterns", value: (row) => -row.patterns.length, cell: (row) => list(row.patterns), class: "text" },
], data.wildcards));

section("unused", "Unused access", ...sortable("Unused access", [policyColumn,
  { title: "Patterns that cover what nobody uses", value: (row) => -row.unused.length, cell: (row) => list(row.unused), class: "text" },
], rows.filter((row) => row.unused.length)));

section("acceptances", "Accepted", ...sortable("Accepted", [
  { title: "Until", value: (row) => row.expires, cell: (row) => make("span", { class: row.expired ? "error" : "" }, row.expired ? `${row.expires}, over` : row.expires) },
  { title: "Policy", value: (row) => row.policy, cell: (row) => row.policy },
  { title: "Checks", value: (row) => row.checks.join(), cell: (row) => row.checks.join(", ") },
  { title: "Reason", value: (row) => row.reason, cell: (row) => row.reason },
  { title: "File", value: (row) => row.file.path, cell: (row) => link(row.file) },
], data.acceptances));

section("unread", "Not read, not looked at", make("p", {}, data.sum), ...sortable("Not read, not looked at", [
  { title: "Where", value: (row) => row.place.path, cell: (row) => link(row.place) },
  { title: "What", value: (row) => row.what, cell: (row) => row.what },
  { title: "Why", value: (row) => row.reason, cell: (row) => row.reason },
], data.unread), data.notes.length ? make("ul", {}, ...data.notes.map((note) => make("li", {}, note))) : null);
