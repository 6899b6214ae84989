// Starts GraphiQL with the tabs, the personas and the endpoint that the page's JSON block names.
"use strict";

(() => {
  const config = JSON.parse(document.getElementById("graphiql-config").textContent);
  const root = document.getElementById("graphiql");
  if (typeof React === "undefined" || typeof GraphiQL === "undefined" || typeof GraphiQLPluginExplorer === "undefined") {
    root.querySelector("p").textContent =
      "GraphiQL's files could not be loaded. Connect to the network, or copy them with npm: python3 scripts/dev.py demo";
    return;
  }
  const h = React.createElement;
  const { useEditorContext } = GraphiQL.React;
  const START = "Start here";

  // Keys of this contract's page; another contract starts with its own tabs, and these stay where they are.
  const storage = {
    getItem: (key) => localStorage.getItem(config.storage + key),
    setItem: (key, value) => localStorage.setItem(config.storage + key, withoutTokens(value)),
    removeItem: (key) => localStorage.removeItem(config.storage + key),
    get length() {
      return ownKeys().length;
    },
    clear: () => ownKeys().forEach((key) => localStorage.removeItem(key)),
  };
  // The history keeps headers; the tokens themselves stay out of the browser's storage.
  const withoutTokens = (value) => [...issued].reduce((text, token) => text.replaceAll(token, BLANK), value);
  const ownKeys = () => Object.keys(localStorage).filter((key) => key.startsWith(config.storage));
  const isFirstVisit = storage.getItem("graphiql:tabState") === null;

  const BLANK = "Bearer …";
  const bearer = (persona) => `Bearer ${persona.token}`;
  const issued = new Set(config.personas.map(bearer));
  const known = config.personas.find((persona) => persona.key === storage.getItem("persona"));
  let current = known || config.personas[0] || null;

  // Replaces our own token or fills a gap; a header that somebody typed stays as it is.
  const withAuthorization = (text) => {
    if (current === null) return text;
    let headers;
    try {
      headers = text.trim() ? JSON.parse(text) : {};
    } catch {
      return text;
    }
    const name = Object.keys(headers).find((key) => key.toLowerCase() === "authorization") || "Authorization";
    if (headers[name] !== undefined && headers[name] !== BLANK && !issued.has(headers[name])) return text;
    return JSON.stringify({ ...headers, [name]: bearer(current) }, null, 2);
  };

  const send = GraphiQL.createFetcher({ url: config.endpoint, headers: { "X-Developer-Page": "1" } });
  // The documentation is read before the header editor is there.
  const fetcher = (params, options) => {
    const isAboutSchema = params.operationName === "IntrospectionQuery" && current !== null;
    const headers = isAboutSchema ? { ...options?.headers, Authorization: bearer(current) } : options?.headers;
    return send(params, { ...options, headers });
  };

  const resetTabs = () => {
    storage.clear();
    location.reload();
  };

  function SessionBar() {
    const { headerEditor, activeTabIndex } = useEditorContext({ nonNull: true });
    const [key, setKey] = React.useState(current?.key);
    React.useEffect(() => {
      if (headerEditor === null) return;
      const text = headerEditor.getValue();
      const next = withAuthorization(text);
      if (next !== text) headerEditor.setValue(next);
    }, [headerEditor, activeTabIndex, key]);
    // A panel that is asked for by property stays folded; its own button, once all is set up, unfolds it.
    React.useEffect(() => {
      if (!isFirstVisit) return undefined;
      const later = setTimeout(() => document.querySelector(`.graphiql-sidebar button[aria-label$="${START}"]`)?.click());
      return () => clearTimeout(later);
    }, []);
    const choose = (event) => {
      current = config.personas.find((persona) => persona.key === event.target.value);
      storage.setItem("persona", current.key);
      setKey(current.key);
    };
    const options = config.personas.map((persona) =>
      h("option", { key: persona.key, value: persona.key }, `${persona.label} · ${persona.account}`),
    );
    return h(
      "div",
      { className: "flex-bar" },
      options.length > 0 &&
        h("label", null, "Ask as ", h("select", { id: "flex-persona", value: key, onChange: choose }, options)),
      h("button", { id: "flex-reset", type: "button", title: "Bring the contract's tabs back", onClick: resetTabs }, "Reset tabs"),
    );
  }

  function openTab(editor, tab) {
    const index = editor.tabs.findIndex((open) => open.operationName === tab.name || open.title === tab.name);
    if (index < 0) return;
    editor.changeTab(index);
    setTimeout(() => document.querySelector(".graphiql-tab-active")?.scrollIntoView({ inline: "nearest" }));
  }

  function Guide() {
    const editor = useEditorContext({ nonNull: true });
    const steps = config.tabs.map((tab) =>
      h(
        "li",
        { key: tab.name },
        h("button", { type: "button", onClick: () => openTab(editor, tab) }, tab.name),
        h("p", null, tab.about),
      ),
    );
    return h(
      "section",
      { className: "flex-guide" },
      h("h2", null, "What to try"),
      config.personas.length > 0 &&
        h(
          "p",
          null,
          "You ask as the person chosen at the top right; choosing another one changes the Authorization header of every tab. ",
          "Each tab is one screen of the portal: press the run button, or Ctrl-Enter.",
        ),
      h("ol", null, steps),
      h("p", null, "The book icon holds the documentation, the folder icon builds a query by ticking boxes."),
    );
  }

  const guide = {
    title: START,
    icon: () =>
      h(
        "svg",
        { viewBox: "0 0 20 20", fill: "none", stroke: "currentColor", strokeWidth: 1.6, "aria-hidden": true },
        h("circle", { cx: 10, cy: 10, r: 8 }),
        h("path", { d: "M8.2 6.8v6.4l5-3.2z" }),
      ),
    content: Guide,
  };

  // In the tabs' variables, `inv_latest` and `inv_before` stand for the two newest invoices of whoever asks first,
  // `line_latest` for a line of theirs with calls behind it, and `addon_latest` for an add-on.
  const newestIds = async () => {
    if (current === null) return {};
    const query = "{ invoices(first: 2) { nodes { id lines { id ... on MeteredLine { __typename } } } } addOns { id } }";
    const answer = await fetch(config.endpoint, {
      method: "POST",
      headers: { "content-type": "application/json", authorization: bearer(current) },
      body: JSON.stringify({ query }),
    });
    const data = (await answer.json()).data;
    const invoices = data?.invoices?.nodes ?? [];
    const metered = invoices.flatMap((invoice) => invoice.lines).find((line) => line.__typename);
    const [inv_latest, inv_before] = invoices.map((invoice) => invoice.id);
    return { inv_latest, inv_before, line_latest: metered?.id, addon_latest: data?.addOns?.[0]?.id };
  };

  const isEmpty = (value) => Object.keys(value).length === 0;
  const tabsWith = (ids) =>
    config.tabs.map((tab) => ({
      query: tab.query,
      variables: isEmpty(tab.variables) ? "" : JSON.stringify(tab.variables, (_, value) => ids[value] ?? value, 2),
      headers: withAuthorization(""),
    }));

  // GraphiQL opens the tab that equals what it last saw in its editors; on a first visit that is the first tab.
  const rememberFirst = ([tab]) => {
    storage.setItem("graphiql:query", tab.query);
    storage.setItem("graphiql:variables", tab.variables);
  };

  const render = (ids) => {
    const tabs = tabsWith(ids);
    if (isFirstVisit && tabs.length > 0) rememberFirst(tabs);
    ReactDOM.createRoot(root).render(
      h(
        GraphiQL,
        {
          fetcher,
          storage,
          defaultTabs: tabs.length > 0 ? tabs : undefined,
          defaultHeaders: withAuthorization(""),
          defaultEditorToolsVisibility: "variables",
          showPersistHeadersSettings: false,
          plugins: [guide, GraphiQLPluginExplorer.explorerPlugin()],
          inputValueDeprecation: true,
          schemaDescription: true,
        },
        h(GraphiQL.Logo, null, h(SessionBar)),
      ),
    );
  };

  (isFirstVisit ? newestIds().catch(() => ({})) : Promise.resolve({})).then(render);
})();
