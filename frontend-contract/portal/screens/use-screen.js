import { useEffect } from "preact/hooks";

import { useQuery } from "../api.js";

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
