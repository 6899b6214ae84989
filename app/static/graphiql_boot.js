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
    return isSubscription(params, options?.documentAST) ? follow(params, headers) : send(params, { ...options, headers });
  };

  const isSubscription = ({ operationName }, document) => {
    const operations = (document?.definitions ?? []).filter(({ kind }) => kind === "OperationDefinition");
    const named = operations.find(({ name }) => name?.value === operationName) ?? operations[0];
    return named?.operation === "subscription";
  };

  // An event stream: each `next` is an answer, `complete` is the end.
  async function* follow(params, headers) {
    const leaving = new AbortController();
    try {
      const response = await fetch(config.endpoint, {
        method: "POST",
        signal: leaving.signal,
        headers: { ...headers, "X-Developer-Page": "1", accept: "text/event-stream", "content-type": "application/json" },
        body: JSON.stringify(params),
      });
      if (!response.ok) {
        yield await response.json();
        return;
      }
      const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
      for (let text = ""; ; ) {
        const { value, done } = await reader.read();
        if (done) return;
        const events = (text + value).split("\n\n");
        text = events.pop();
        for (const event of events) {
          if (event.startsWith("event: complete")) return;
          if (event.startsWith("event: next")) yield JSON.parse(event.slice(event.indexOf("data:") + 5));
        }
      }
    } finally {
      leaving.abort();
    }
  }

  const resetTabs = () => {
    storage.clear();
    location.reload();
  };

  // The sandbox's clock: what time it is there, and a step forward; the server closes what falls due.
  function Clock() {
    const [written, setWritten] = React.useState("");
    const ask = async (options) => {
      const answer = await fetch(config.clock, options);
      if (answer.ok) setWritten((await answer.json()).written);
    };
    const advance = (step) =>
      ask({ method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify({ step }) });
    React.useEffect(() => void ask(), []);
    return h(
      "span",
      { className: "flex-clock" },
      h("time", { id: "flex-time", title: "The sandbox's time" }, written),
      h("button", { type: "button", title: "Advance the sandbox's clock by a day", onClick: () => advance("DAY") }, "+ 1 day"),
      h("button", { type: "button", title: "Advance it to the first of next month", onClick: () => advance("MONTH") }, "+ 1 month"),
    );
  }

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
      if (!isFirstVisit || !matchMedia("(min-width: 60rem)").matches) return undefined;
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
      config.clock && h(Clock),
      config.pages.map((page) => h("a", { key: page.address, href: page.address }, page.name)),
      h("button", { id: "flex-reset", type: "button", title: "Close all tabs and begin anew", onClick: resetTabs }, "Reset"),
    );
  }

  // Opens an operation in a tab of its own, or again in the one that it has, with values that are good now.
  async function openTab(editor, tab) {
    const variables = await variablesOf(tab);
    const index = editor.tabs.findIndex((open) => open.operationName === tab.name || open.title === tab.name);
    if (index >= 0) editor.changeTab(index);
    else editor.addTab();
    // The editors show the tab only after this turn.
    setTimeout(() => {
      editor.queryEditor?.setValue(tab.query);
      editor.variableEditor?.setValue(variables);
      editor.headerEditor?.setValue(withAuthorization(""));
      document.querySelector(".graphiql-tab-active")?.scrollIntoView({ inline: "nearest" });
    });
  }

  function Guide() {
    const editor = useEditorContext({ nonNull: true });
    // An address such as /graphql#PlansList opens that operation.
    React.useEffect(() => {
      const named = config.groups.flatMap((group) => group.tabs).find((tab) => `#${tab.name}` === location.hash);
      if (named && editor.queryEditor) openTab(editor, named);
    }, [editor.queryEditor]);
    const step = (tab) =>
      h(
        "li",
        { key: tab.name },
        h("button", { type: "button", "data-operation": tab.name, onClick: () => openTab(editor, tab) }, tab.name),
        h("p", null, tab.about),
      );
    const groups = config.groups.map((group) => [
      h("h3", { key: group.screen }, group.screen),
      h("ul", { key: `${group.screen} steps` }, group.tabs.map(step)),
    ]);
    return h(
      "section",
      { className: "flex-guide" },
      h("h2", null, "What to try"),
      config.personas.length > 0 &&
        h(
          "p",
          null,
          "You ask as the person chosen above; choosing another one changes the Authorization header of every tab. ",
          "Each operation opens ready to run: press the run button, or Ctrl-Enter. Open it again for fresh values.",
        ),
      groups,
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

  const ask = async (query, variables = {}) => {
    const answer = await fetch(config.endpoint, {
      method: "POST",
      headers: { "content-type": "application/json", "x-developer-page": "1", authorization: bearer(current) },
      body: JSON.stringify({ query, variables }),
    });
    return (await answer.json()).data ?? {};
  };

  const INVOICES = "{ invoices(first: 24) { nodes { id balance { amount } lines { id ... on MeteredLine { __typename } } } } }";
  const invoices = async () => (await ask(INVOICES)).invoices?.nodes ?? [];
  const addOns = async (state) =>
    ((await ask("{ addOns { id state } }")).addOns ?? []).find((addOn) => addOn.state === state)?.id;
  const otherPlan = async () =>
    ((await ask("{ plans { plan { id } isCurrent canChangeNow } }")).plans ?? []).find(
      (offer) => !offer.isCurrent && offer.canChangeNow,
    )?.plan.id;
  const planQuote = async () => {
    const query = "query ($id: ID!) { planChangePreview(planId: $id, when: NOW) { ... on PlanChangeQuote { id } } }";
    return (await ask(query, { id: await otherPlan() })).planChangePreview?.id;
  };
  const addOnQuote = async () => {
    const query = "query ($id: ID!) { addOnChangePreview(addOnId: $id) { ... on AddOnQuote { id } } }";
    return (await ask(query, { id: await addOns("AVAILABLE") })).addOnChangePreview?.id;
  };
  const backups = async () =>
    ((await ask("{ paymentMethods { backups { id } } }")).paymentMethods?.backups ?? []).map((method) => method.id);
  const contacts = async () => (await ask("{ paymentContacts { id emailState } }")).paymentContacts ?? [];

  // What names among the tabs' variables stand for. Nothing is looked up before its tab is opened.
  const lookups = {
    new_key: async () => crypto.randomUUID(),
    inv_latest: async () => (await invoices())[0]?.id,
    inv_before: async () => (await invoices())[1]?.id,
    inv_open: async () => (await invoices()).findLast((invoice) => Number(invoice.balance.amount) > 0)?.id,
    line_latest: async () => (await invoices()).flatMap((invoice) => invoice.lines).find((line) => line.__typename)?.id,
    plan_other: otherPlan,
    plan_quote: planQuote,
    plan_scheduled: async () => (await ask("{ billingSummary { nextMonthPlan { id } } }")).billingSummary?.nextMonthPlan.id,
    addon_active: () => addOns("ACTIVE"),
    addon_ending: () => addOns("ENDING"),
    addon_available: () => addOns("AVAILABLE"),
    addon_quote: addOnQuote,
    addon_terms: async () =>
      ((await ask("{ addOns { state terms { version } } }")).addOns ?? []).find((addOn) => addOn.state === "AVAILABLE")?.terms.version,
    agreement_version: async () => (await ask("{ paymentAgreement { version } }")).paymentAgreement?.version,
    method_backup: async () => (await backups())[0],
    backups_reversed: async () => (await backups()).reverse(),
    contact_latest: async () => (await contacts()).at(-1)?.id,
    contact_unconfirmed: async () => (await contacts()).find((contact) => contact.emailState === "UNCONFIRMED")?.id,
  };

  const isEmpty = (value) => Object.keys(value).length === 0;
  const variablesOf = async (tab) => {
    if (isEmpty(tab.variables)) return "";
    const found = {};
    const look = async (value) => {
      if (typeof value === "string" && value in lookups && current !== null) {
        found[value] = (await lookups[value]().catch(() => undefined)) ?? value;
      } else if (value !== null && typeof value === "object") {
        await Promise.all(Object.values(value).map(look));
      }
    };
    await look(tab.variables);
    return JSON.stringify(tab.variables, (_, value) => (Array.isArray(value) ? value.flatMap((each) => found[each] ?? each) : (found[value] ?? value)), 2);
  };

  // GraphiQL opens the tab that equals what it last saw in its editors; on a first visit that is the first tab.
  const rememberFirst = (tab) => {
    storage.setItem("graphiql:query", tab.query);
    storage.setItem("graphiql:variables", tab.variables);
  };

  const render = (first) => {
    if (isFirstVisit && first) rememberFirst(first);
    ReactDOM.createRoot(root).render(
      h(
        GraphiQL,
        {
          fetcher,
          storage,
          defaultTabs: first ? [first] : undefined,
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

  const first = config.groups[0]?.tabs[0];
  (first ? variablesOf(first) : Promise.resolve("")).then((variables) =>
    render(first && { query: first.query, variables, headers: withAuthorization("") }),
  );
})();
