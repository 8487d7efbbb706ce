// Everything that a page shows is in its address: path and parameters. Going there changes nothing else.

import { useEffect, useState } from "preact/hooks";

export interface Address { path: string; search: URLSearchParams }

const read = (): Address => ({ path: location.pathname, search: new URLSearchParams(location.search) });
const MOVED = "moved";

export function useAddress(): Address {
  const [address, set] = useState(read);
  useEffect(() => {
    const moved = () => set(read());
    addEventListener("popstate", moved);
    addEventListener(MOVED, moved);
    return () => {
      removeEventListener("popstate", moved);
      removeEventListener(MOVED, moved);
    };
  }, []);
  return address;
}

export function go(to: string, replace = false): void {
  if (to === location.pathname + location.search) return;
  if (replace) history.replaceState(null, "", to);
  else history.pushState(null, "", to);
  dispatchEvent(new Event(MOVED));
}

/** The present address with other parameters; an empty one is taken away. */
export function changed(changes: Record<string, string>, path = location.pathname, search = new URLSearchParams(location.search)): string {
  const next = new URLSearchParams(search);
  for (const [name, value] of Object.entries(changes)) {
    if (value) next.set(name, value);
    else next.delete(name);
  }
  const text = next.toString();
  return text ? `${path}?${text}` : path;
}

/** Parameters that stay when another page is opened. */
export function kept(search: URLSearchParams): Record<string, string> {
  const keep: Record<string, string> = {};
  for (const name of ["period", "from", "to"]) {
    const value = search.get(name);
    if (value) keep[name] = value;
  }
  return keep;
}

/** A link of the page itself: opens without loading, unless a new tab is wanted. */
export function follow(event: MouseEvent): void {
  const link = event.currentTarget as HTMLAnchorElement;
  if (event.ctrlKey || event.metaKey || event.shiftKey || event.button !== 0) return;
  event.preventDefault();
  go(link.pathname + link.search);
  document.getElementById("main")?.focus({ preventScroll: true });
  scrollTo(0, 0);
}
