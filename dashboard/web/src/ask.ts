// Asking the API from a component: loads, loads again when told of changes, and comes back by itself
// when the store was away.

import { createContext } from "preact";
import { useContext, useEffect, useState } from "preact/hooks";
import { Failed, ask } from "./api";

/** Rises whenever what pages show may have changed. */
export const Changes = createContext(0);

const AGAIN = 4000;

export interface Asked<T> { answer: T | undefined; failure: Failed | undefined; loading: boolean }

/** Asks for `path`; undefined asks nothing. The last answer stays while a new one is on its way. */
export function useAsk<T>(path: string | undefined): Asked<T> {
  const changes = useContext(Changes);
  const [again, setAgain] = useState(0);
  const [state, set] = useState<Asked<T> & { path: string | undefined }>({ answer: undefined, failure: undefined, loading: true, path });
  useEffect(() => {
    if (path === undefined) return;
    const abort = new AbortController();
    let timer: number | undefined;
    set((old) => ({ answer: old.path === path ? old.answer : undefined, failure: old.path === path ? old.failure : undefined, loading: true, path }));
    ask<T>(path, abort.signal).then(
      (answer) => set({ answer, failure: undefined, loading: false, path }),
      (error: unknown) => {
        if (abort.signal.aborted) return;
        const failure = error instanceof Failed ? error : new Failed("network", String(error));
        set((old) => ({ answer: old.path === path ? old.answer : undefined, failure, loading: false, path }));
        if (failure.passing) timer = window.setTimeout(() => setAgain((n) => n + 1), AGAIN);
      },
    );
    return () => {
      abort.abort();
      clearTimeout(timer);
    };
  }, [path, changes, again]);
  return state.path === path ? state : { answer: undefined, failure: undefined, loading: true };
}

/** Follows the server's events; the browser connects again by itself. */
export function useChanges(): number {
  const [changes, set] = useState(0);
  useEffect(() => {
    const events = new EventSource("/api/v1/live");
    const bump = () => set((n) => n + 1);
    events.addEventListener("change", bump);
    return () => events.close();
  }, []);
  return changes;
}
