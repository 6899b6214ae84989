// Writes the API reference from the page's JSON block, and finds things in it.
"use strict";

(() => {
  const { operations, types, errors } = JSON.parse(document.getElementById("reference").textContent);
  const names = new Set(types.map((type) => type.name));
  const content = document.getElementById("content");
  const entries = [];
  const MOST_SHOWN = 100;

  const element = (tag, properties, ...children) => {
    const made = Object.assign(document.createElement(tag), properties);
    made.append(...children.filter((child) => child !== null && child !== undefined));
    return made;
  };
  const link = (name) => element("a", { href: `#${name}` }, name);
  const anchored = (id, what, text, made) => {
    made.id = id;
    entries.push({ id, what, name: id.toLowerCase(), text: `${id} ${text ?? ""}`.toLowerCase() });
    return made;
  };

  // `[Plan!]!` with the name of the type as a link.
  const typeText = (text) => text.split(/(\w+)/).map((part) => (names.has(part) ? link(part) : part));
  // Text between backticks is code.
  const prose = (text) => (text ?? "").split("`").map((part, place) => (place % 2 ? element("code", {}, part) : part));
  const notes = (member) =>
    [
      member.deprecated && `Deprecated: ${member.deprecated}`,
      typeof member.cost === "number" && `Costs ${member.cost} points.`,
      member.counted && "Counts once for each item.",
    ].filter(Boolean);

  const member = (owner, what, found) => {
    const id = `${owner}.${found.name}`;
    const shown = [found.name];
    if (found.type) shown.push(": ", ...typeText(found.type));
    if (found.default && found.default !== "null") shown.push(` = ${found.default}`);
    const body = element("dd", {}, ...prose(found.about));
    if (notes(found).length) body.append(element("p", { className: "quiet" }, notes(found).join(" ")));
    if (found.arguments?.length) {
      body.append(element("dl", {}, ...found.arguments.flatMap((each) => member(id, "argument", each))));
    }
    return [anchored(id, what, found.about, element("dt", {}, ...shown)), body];
  };

  const listed = (title, found) =>
    found?.length ? element("p", {}, `${title}: `, ...found.flatMap((name, place) => [place ? ", " : "", link(name)])) : null;

  const section = (title, parts) => content.append(element("section", {}, element("h2", {}, title), ...parts.flat()));

  const operation = (found) => [
    anchored(found.name, found.kind, found.about, element("h3", {}, found.name, " ", element("small", {}, found.kind))),
    element("p", {}, ...prose(found.about)),
    element("details", {}, element("summary", {}, "Document"), element("pre", {}, element("code", {}, found.document))),
  ];

  const type = (found) => [
    anchored(found.name, found.kind, found.about, element("h3", {}, found.name, " ", element("small", {}, found.kind))),
    element("p", {}, ...prose(found.about)),
    listed("Implements", found.implements),
    listed("Possible types", found.members),
    element(
      "dl",
      {},
      ...(found.fields ?? []).flatMap((each) => member(found.name, "field", each)),
      ...(found.values ?? []).flatMap((each) => member(found.name, "value", each)),
    ),
  ];

  const error = (found) => [
    anchored(found.code, "error code", found.meaning, element("h3", {}, found.code, " ", element("small", {}, "error code"))),
    element("p", {}, ...prose(found.meaning)),
    element("p", {}, ...prose(`Who can act: ${found.whoCanAct}`)),
    element("p", {}, `To show people: “${found.suggestedCopy}”`),
    element(
      "p",
      { className: "quiet" },
      `HTTP ${found.httpStatus.join(" or ")}. ${found.retryable ? "Trying again may help." : "Trying again does not help."}`,
    ),
    found.example &&
      element(
        "details",
        {},
        element("summary", {}, `Example: ${found.example.name}`),
        element("pre", {}, element("code", {}, JSON.stringify(found.example.recorded, null, 2))),
      ),
  ];

  const roots = ["Query", "Mutation", "Subscription"];
  section("Root types", roots.flatMap((name) => types.filter((found) => found.name === name)).map(type));
  section("Types", types.filter((found) => !roots.includes(found.name)).map(type));
  section("Error codes", errors.map(error));
  section("Operations of the portal", operations.map(operation));

  const rank = (entry, wanted) => {
    const last = entry.name.split(".").at(-1);
    if (last === wanted || entry.name === wanted) return 0;
    if (last.startsWith(wanted)) return 1;
    return entry.name.includes(wanted) ? 2 : 3;
  };
  const find = (text) => {
    const words = text.trim().toLowerCase().split(/\s+/).filter(Boolean);
    const hits = entries.filter((entry) => words.every((word) => entry.text.includes(word)));
    return words.length ? hits.sort((one, other) => rank(one, words[0]) - rank(other, words[0])) : hits;
  };

  const search = document.getElementById("search");
  const show = () => {
    const hits = find(search.value);
    const isSearch = search.value.trim() !== "";
    const shown = isSearch ? hits.slice(0, MOST_SHOWN) : hits.filter((entry) => !entry.id.includes("."));
    document.getElementById("count").textContent =
      isSearch && hits.length > shown.length ? `${hits.length} found, ${shown.length} shown` : `${hits.length} entries`;
    document
      .getElementById("found")
      .replaceChildren(...shown.map((entry) => element("a", { href: `#${entry.id}` }, entry.id, " ", element("small", {}, entry.what))));
  };
  search.addEventListener("input", show);
  search.value = new URLSearchParams(location.search).get("q") ?? "";
  show();
  // The anchors were not there yet when the address was read.
  if (location.hash) document.getElementById(location.hash.slice(1))?.scrollIntoView();
})();
