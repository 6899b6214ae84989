// What changes while a screen is open, by server-sent events.

/**
 * @param {import("./contract.js").Contract} contract
 * @param {import("./api.js").Host} host
 * @param {string} endpoint
 */
export function watcher(contract, host, endpoint) {
  const headers = async () => ({ authorization: `Bearer ${await host.getToken({ isRefused: false })}` });
  /** @param {string} name the subscription @param {(data: any) => void} show @returns {() => void} stops it */
  return (name, show) => {
    const payload = { documentId: `sha256:${contract.operations.get(name)?.id}`, operationName: name };
    const sink = { next: (/** @type {any} */ event) => event.data && show(event.data), error() {}, complete() {} };
    let leave = () => {};
    let isOver = false;
    // The library comes when the first view is there.
    import("graphql-sse").then(({ createClient }) => {
      const streams = createClient({ url: endpoint, retryAttempts: 5, headers });
      if (!isOver) leave = streams.subscribe(/** @type {any} */ (payload), sink);
    });
    return () => {
      isOver = true;
      leave();
    };
  };
}
