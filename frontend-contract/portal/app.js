// The frame around every screen: user menu, tabs, the banner, and which screen the address names.
import { useCallback, useEffect, useState } from "preact/hooks";

import { ApiContext } from "./api.js";
import { html } from "./parts/html.js";
import { Failure, Skeleton } from "./parts/states.js";
import { activeScreen, screens } from "./screens.js";
import { words } from "./text.js";

/** @param {{ api: import("./api.js").Api }} props */
export function App({ api }) {
  const [address, setAddress] = useState(location.pathname);
  const [viewer, setViewer] = useState(/** @type {any} */ (null));
  const [isSessionOver, setSessionOver] = useState(false);
  const [isOnline, setOnline] = useState(navigator.onLine);
  const { screen, id } = activeScreen(address);

  const go = useCallback((/** @type {string} */ path) => {
    history.pushState(null, "", path);
    setAddress(location.pathname);
    scrollTo(0, 0);
    document.getElementById("main")?.focus();
  }, []);

  useEffect(() => {
    const follow = () => setAddress(location.pathname);
    const hear = (/** @type {any} */ event) => setSessionOver(event.detail.isOver);
    const connection = () => setOnline(navigator.onLine);
    addEventListener("popstate", follow);
    addEventListener("online", connection);
    addEventListener("offline", connection);
    document.addEventListener("flex:session", hear);
    return () => {
      removeEventListener("popstate", follow);
      removeEventListener("online", connection);
      removeEventListener("offline", connection);
      document.removeEventListener("flex:session", hear);
    };
  }, []);

  useEffect(() => {
    document.title = `${screen.title} · Billing`;
    document.dispatchEvent(new CustomEvent("flex:screen", { detail: { operation: screen.operation } }));
  }, [address]);

  /** Links within the portal change the screen and load no page. @param {MouseEvent} event */
  const click = (event) => {
    const link = event.target instanceof Element ? event.target.closest("a") : null;
    const isPlain = event.button === 0 && !(event.metaKey || event.ctrlKey || event.shiftKey || event.altKey);
    if (!link || !isPlain || link.target || link.hasAttribute("download") || !activeScreen(link.pathname).isKnown) return;
    event.preventDefault();
    go(link.pathname);
  };

  return html`
    <${ApiContext.Provider} value=${api}>
      <div class="portal" onClick=${click}>
        <${Header} viewer=${viewer} screen=${screen} />
        <main id="main" tabindex="-1">
          ${!isOnline && html`<p class="banner" role="status">You are offline. What you see may be out of date.</p>`}
          ${isSessionOver && html`<${Failure} failure=${{ code: "UNAUTHENTICATED", message: "" }}><button type="button" class="main" onClick=${api.signIn}>Sign in again</button><//>`}
          ${viewer?.banner && html`<p class="banner" role="status">${viewer.banner}</p>`}
          <${Screen} key=${address} load=${screen.load} id=${id} onViewer=${setViewer} go=${go} />
        </main>
      </div>
    <//>
  `;
}

/** @param {{ load: () => Promise<any>, id: string | null, onViewer: (viewer: any) => void, go: (path: string) => void }} props */
function Screen({ load, id, onViewer, go }) {
  const [found, setFound] = useState(/** @type {any} */ (null));
  useEffect(() => {
    let isHere = true;
    load().then(
      (module) => isHere && setFound(() => module.default),
      () => isHere && setFound(() => Unreachable),
    );
    return () => void (isHere = false);
  }, []);
  return found ? html`<${found} id=${id} onViewer=${onViewer} go=${go} />` : html`<${Skeleton} lines=${6} />`;
}

/** A browser tries a module once: the page is loaded again, as soon as there is a server that it can be had from. */
function Unreachable() {
  const again = () => fetch(location.href, { method: "HEAD" }).then(() => location.reload(), () => {});
  return html`<${Failure} failure=${{ code: "SERVICE_UNAVAILABLE", message: "" }}><button type="button" onClick=${again}>Try again</button><//>`;
}

/** @param {{ viewer: any, screen: any }} props */
function Header({ viewer, screen }) {
  const isAllowed = (/** @type {any} */ each) => !viewer || viewer.permissions.includes(each.permission);
  const shown = Object.values(screens).filter((each) => each.group === screen.group && each.tab && isAllowed(each));
  return html`
    <header class="top">
      <p class="brand">SAS Flex</p>
      <details class="user">
        <summary>${viewer?.user ? viewer.user.name : "Account"}</summary>
        <nav aria-label="User menu">
          ${viewer && html`<p class="quiet">${viewer.account.name}<br />${words(viewer.role)}</p>`}
          <a href=${screens.summary.path}>Billing</a>
          ${(!viewer || viewer.permissions.includes("MANAGE_ALERTS")) && html`<a href=${screens.alerts.path}>Settings: Alerts</a>`}
        </nav>
      </details>
    </header>
    <nav class="tabs" aria-label=${screen.group}>
      <h1>${screen.group}</h1>
      <ul>
        ${shown.map((each) => html`<li><a href=${each.path} aria-current=${each.tab === screen.tab ? "page" : undefined}>${each.tab}</a></li>`)}
      </ul>
    </nav>
  `;
}
