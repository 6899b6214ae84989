// The page that the portal stands on in the sandbox: it answers for the token, and has a bar for developers.
(() => {
  const { personas } = JSON.parse(document.getElementById("flex-sandbox").textContent);
  const KEY = "flex-portal-persona";
  const chosen = sessionStorage.getItem(KEY);
  const persona = personas.find(({ key }) => key === chosen) ?? personas[0];
  let operation = "SummaryOpen";

  window.flex = {
    cardForm: "sandbox",
    getToken: async () => persona?.token ?? "",
    signIn: () => location.reload(),
  };

  const element = (name, properties = {}, ...children) => {
    const made = Object.assign(document.createElement(name), properties);
    made.append(...children);
    return made;
  };

  document.addEventListener("flex:screen", (event) => {
    operation = event.detail.operation;
    const link = document.getElementById("flex-graphiql");
    if (link) link.href = `/graphql#${operation}`;
  });

  addEventListener("DOMContentLoaded", () => {
    const time = element("output", { className: "time", id: "flex-time" });
    const askClock = async (options) => {
      const answer = await fetch("/sandbox/clock", options);
      if (answer.ok) time.textContent = (await answer.json()).written;
    };
    const advance = async (step) => {
      await askClock({ method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify({ step }) });
      location.reload();
    };
    const people = element("select", { id: "flex-persona" });
    for (const each of personas) {
      people.append(element("option", { value: each.key, textContent: `${each.label} · ${each.account}`, selected: each === persona }));
    }
    people.addEventListener("change", () => {
      sessionStorage.setItem(KEY, people.value);
      location.reload();
    });
    const button = (textContent, step) => {
      const made = element("button", { type: "button", textContent });
      made.addEventListener("click", () => advance(step));
      return made;
    };
    const links = [
      ["Mails", "/sandbox/messages", "flex-mails"],
      ["This screen in GraphiQL", `/graphql#${operation}`, "flex-graphiql"],
      ["Reference", "/docs", "flex-docs"],
    ].map(([textContent, href, id]) => element("a", { textContent, href, id }));
    const bar = element(
      "aside",
      { className: "flex-bar" },
      element("label", {}, "View as ", people),
      element("span", { className: "clock" }, time, button("+ 1 day", "DAY"), button("To month's end", "MONTH")),
      element("nav", { ariaLabel: "Developer pages" }, ...links),
    );
    bar.setAttribute("aria-label", "Developer bar");
    document.body.append(bar);
    askClock();
  });
})();
