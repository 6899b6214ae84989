// Asks the API: documents by id, one token, and the hooks that screens ask with.
import { Client, createRequest, fetchExchange } from "@urql/core";
import { createContext } from "preact";
import { useCallback, useContext, useEffect, useRef, useState } from "preact/hooks";
import { pipe, subscribe } from "wonka";

import { makeCache } from "./cache.js";
import { watcher } from "./live.js";

/** @typedef {import("@urql/core").CombinedError} CombinedError */
/** @typedef {import("./contract.js").Contract} Contract */
/** @typedef {{ getToken: (why: { isRefused: boolean }) => Promise<string>, signIn?: () => void, cardForm?: string }} Host */

const PENDING_EVERY_MILLISECONDS = 1_500;
const PENDING_AT_MOST = 20;

/**
 * @typedef {object} Api
 * @property {Contract} contract
 * @property {Host} host
 * @property {(name: string, variables: object) => import("@urql/core").GraphQLRequest} request
 * @property {Client} client
 * @property {(name: string, show: (data: any) => void) => () => void} watch
 * @property {() => void} signIn
 */

/**
 * @param {Contract} contract
 * @param {Host} host
 * @param {string} endpoint
 * @param {(isOver: boolean) => void} onSession told that even a new token is refused, and that one is taken again
 * @returns {Api}
 */
export function makeApi(contract, host, endpoint, onSession) {
  /** @param {RequestInit} options @param {boolean} isRefused */
  const send = async (options, isRefused) => {
    const token = await host.getToken({ isRefused });
    const headers = { ...options.headers, authorization: `Bearer ${token}` };
    return fetch(endpoint, { ...options, headers });
  };
  /** @type {typeof fetch} */
  const fetchByName = async (_address, options) => {
    const { operationName, variables } = JSON.parse(String(options?.body));
    const documentId = `sha256:${contract.operations.get(operationName)?.id}`;
    const asked = {
      ...options,
      headers: { accept: "application/graphql-response+json", "content-type": "application/json" },
      body: JSON.stringify({ documentId, operationName, variables }),
    };
    const first = await send(asked, false);
    const answer = first.status === 401 ? await send(asked, true) : first;
    onSession(answer.status === 401);
    return answer;
  };
  const client = new Client({
    url: endpoint,
    preferGetMethod: false,
    exchanges: [makeCache(contract), fetchExchange],
    fetch: fetchByName,
  });
  /** @param {string} name @param {object} variables */
  const request = (name, variables) => createRequest(contract.operations.get(name)?.body ?? "", variables);
  const watch = watcher(contract, host, endpoint);
  return { contract, host, request, client, watch, signIn: () => (host.signIn ? host.signIn() : location.reload()) };
}

export const ApiContext = createContext(/** @type {Api} */ (/** @type {unknown} */ (null)));

export const useApi = () => useContext(ApiContext);

/**
 * @typedef {{ code: string, message: string, requestId?: string }} Refusal
 * @typedef {{ data: any, error?: CombinedError, isLoading: boolean, reload: () => void }} Asked
 */

/**
 * Asks for something, and again whenever the variables change; what is known is shown at once, and then what is new.
 * @param {string} name the operation
 * @param {Record<string, unknown>} [variables]
 * @param {{ isPaused?: boolean, isFresh?: boolean }} [options] `isFresh` asks past the cache, as quotes want it
 * @returns {Asked}
 */
export function useQuery(name, variables = {}, { isPaused = false, isFresh = false } = {}) {
  const api = useApi();
  const key = JSON.stringify([name, variables]);
  const [answer, setAnswer] = useState({ key: "", data: /** @type {any} */ (undefined), error: /** @type {any} */ (undefined), isStale: false });
  const [turn, setTurn] = useState(0);
  useEffect(() => {
    if (isPaused) return undefined;
    const policy = isFresh || turn > 0 ? "network-only" : "cache-and-network";
    const asked = api.client.executeQuery(api.request(name, variables), { requestPolicy: policy });
    const { unsubscribe } = pipe(
      asked,
      subscribe(({ data, error, stale }) => {
        if (data === undefined && !error) return;
        setAnswer((before) => {
          const known = before.key === key ? before.data : undefined;
          // The cache has nothing of what a mutation made out of date: that stays on the screen until it is there anew.
          const shown = stale && known && data ? { ...known, ...Object.fromEntries(Object.entries(data).filter(([, found]) => found !== null)) } : data;
          return { key, data: shown ?? known, error, isStale: stale };
        });
      }),
    );
    return unsubscribe;
  }, [key, turn, isPaused]);
  const isKnown = answer.key === key;
  const reload = useCallback(() => setTurn((count) => count + 1), []);
  return { data: isKnown ? answer.data : undefined, error: isKnown ? answer.error : undefined, isLoading: (!isKnown || answer.isStale) && !isPaused, reload };
}

/**
 * Asks the one operation of a screen, and tells the frame who is looking.
 * @param {string} operation
 * @param {(viewer: any) => void} onViewer
 * @param {Record<string, unknown>} [variables]
 */
export function useScreen(operation, onViewer, variables = {}) {
  const asked = useQuery(operation, variables);
  const viewer = asked.data?.viewer;
  useEffect(() => {
    if (viewer) onViewer(viewer);
  }, [viewer]);
  /** @param {string} permission */
  const may = (permission) => Boolean(viewer?.permissions.includes(permission));
  return { asked, may };
}

/**
 * @typedef {object} Press
 * @property {boolean} isBusy
 * @property {boolean} isPending the result is not known yet, and is being asked for again
 * @property {any} result what was done, or the refusal; `__typename` says which. `isWaiting` tells that it stayed unknown
 * @property {Refusal | null} failure why it was not done, or could not be asked
 * @property {(variables: Record<string, unknown>) => Promise<any>} press
 * @property {() => void} clear
 */

/**
 * A button that changes something. A second press while the first is on its way does nothing. What is not known yet is
 * asked for again with the same variables, and so with the same idempotency key.
 * @param {string} name the mutation
 * @param {string} done the type of the result when it was done
 * @returns {Press}
 */
export function usePress(name, done) {
  const api = useApi();
  const isUnderWay = useRef(false);
  const [state, setState] = useState({ isBusy: false, isPending: false, result: /** @type {any} */ (null), failure: /** @type {Refusal | null} */ (null) });
  const clear = () => setState({ isBusy: false, isPending: false, result: null, failure: null });
  /** @param {Record<string, unknown>} variables */
  const press = async (variables) => {
    if (isUnderWay.current) return null;
    isUnderWay.current = true;
    setState({ isBusy: true, isPending: false, result: null, failure: null });
    try {
      for (let count = 0; ; count += 1) {
        const { data, error } = await api.client.executeMutation(api.request(name, variables)).toPromise();
        const result = data && Object.values(data).find((each) => each && typeof each === "object");
        const isUnknown = error?.networkError ? "idempotencyKey" in variables : isWaiting(result);
        if (isUnknown && count < PENDING_AT_MOST) {
          setState((before) => ({ ...before, isPending: true }));
          await new Promise((later) => setTimeout(later, PENDING_EVERY_MILLISECONDS));
          continue;
        }
        const failure = error || !result ? failureOf(error) : result.__typename === done ? null : result;
        setState({ isBusy: false, isPending: false, result: result ?? null, failure });
        return failure ? null : result;
      }
    } finally {
      isUnderWay.current = false;
    }
  };
  return { ...state, press, clear };
}

/**
 * Tells whether a bank has still to say what came of a press; the same press again asks for it.
 * @param {{ status?: string } | null | undefined} result
 */
export const isWaiting = (result) => Boolean(result?.status?.endsWith("PENDING"));

/**
 * Why something could not be asked or answered, as a refusal with a code of `errors.json`. The message of an error is for
 * developers, and that of a refusal for people.
 * @param {CombinedError | undefined} error
 * @param {string} [field] of the root: only what concerns it
 * @returns {Refusal | null}
 */
export function failureOf(error, field) {
  if (!error) return field ? null : { code: "INTERNAL", message: "" };
  const found = error.graphQLErrors.find(({ path }) => !field || !path || path[0] === field);
  if (found) return { code: String(found.extensions?.code ?? "INTERNAL"), message: "", requestId: String(found.extensions?.requestId ?? "") };
  if (!error.networkError) return null;
  return { code: error.response?.status === 401 ? "UNAUTHENTICATED" : "SERVICE_UNAVAILABLE", message: "" };
}

/** A key for one press: made before it, so that the same press is never done twice. */
export const newKey = () => crypto.randomUUID();
