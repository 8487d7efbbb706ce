// What the API answers, and asking it. Shapes are those of /api/openapi.json.

export type Polarity = "negative" | "neutral" | "positive";
export interface Net { value: number; low: number; high: number }
export interface Choices { brands: string[]; sources: string[]; languages: string[]; first: string | null; last: string | null }
export interface Card {
  brand: string; mentions: number; previous_mentions: number; negative: number; neutral: number; positive: number;
  net: Net | null; previous_net: Net | null; clear: boolean; share: number; open_incidents: number;
  spark: { mentions: number; net: number | null }[];
}
export interface Overview { from: string; to: string; previous_from: string; step: number; mentions: number; previous_mentions: number; brands: Card[] }
export interface Sentiment { polarity: Polarity; negative: number; neutral: number; positive: number; confidence: number; uncertain: boolean }
export interface Mention {
  id: string; published_at: string; source: string; language: string; title: string; text: string; shortened: boolean;
  spans: [number, number][]; url: string; author: string; sentiment: Sentiment;
  brands: { brand: string; polarity: Polarity; owned: boolean }[];
  likes: number | null; replies: number | null; shares: number | null; text_group: string; repost: boolean;
}
export interface Mentions { mentions: Mention[]; next: string | null }
export interface Explained {
  id: string; published_at: string; source: string; native_id: string; url: string; title: string; text: string; author: string; tags: string[];
  sentiment: Sentiment; sentiment_model: string[]; language: string; language_confidence: number; language_model: string[];
  brands: { brand: string; version: string; sentiment: Sentiment; target: string; owned: boolean; spans: [number, number][]; terms: string[] }[];
  raw_partition: number; raw_offset: number; observed_at: string; enriched_at: string; stored_at: string;
}
export interface Incident {
  incident: string; brand: string; kind: string; severity: string; open: boolean; opened_at: string; last_at: string; closed_at: string | null;
  started_at: string; window_minutes: number; observed: number; expected: number; share: number | null; usual_share: number | null; authors: number; peak: number;
  terms: { term: string; score: number }[]; sources: Count[]; first_mention: string | null; top_mentions: string[];
}
export interface Count { name: string; mentions: number }
export interface Group { name: string; mentions: number; negative: number; neutral: number; positive: number; net: Net | null }
export interface BrandPage {
  brand: string; from: string; to: string; step: number;
  points: { at: string; negative: number; neutral: number; positive: number; net: Net | null }[];
  total: Group; languages: Group[]; sources: Group[]; terms: { term: string; mentions: number; net: number }[];
  authors: { author: string; source: string; mentions: number; net: number }[];
  gaps: { source: string; from: string; to: string; why: string; caught_up: boolean }[];
  incidents: Incident[];
}
export interface Incidents { incidents: Incident[] }
export interface Health {
  sources: { source: string; state: string; detail: string; last_success: string | null; newest: string | null; lag_seconds: number | null; accepted: number; rejected: number; lost: number; mentions: number }[];
  gaps: { source: string; from: string; to: string | null; why: string; caught_up: boolean }[];
  models: { kind: string; model: string; version: string; hash: string; mentions: number; last: string }[];
  stored: { mentions: number; last_stored: string | null; p50: number | null; p99: number | null };
}

export interface Waits { name: string; asked: number; answered: number; median: number | null; p90: number | null; own_answered: number; own_median: number | null; own_p90: number | null }
export interface Questions {
  all: Waits; sources: Waits[]; topics: Waits[];
  waiting: { id: string; published_at: string; age: number; source: string; language: string; title: string; text: string; url: string; brands: string[]; reactions: number }[];
}
export interface Engagement {
  sources: { source: string; mentions: number; counted: number; reactions: number; engaged: number; rate: number | null }[];
  members: { author: string; source: string; questions: number; answers: number; likes: number }[];
  hours: { day: number; hour: number; mentions: number; typical: number }[];
}

/** An answer that was none: `code` as in the API's description, or "network". */
export class Failed extends Error {
  constructor(readonly code: string, message: string) {
    super(message);
  }
  /** True when asking again may help. */
  get passing(): boolean {
    return this.code === "network" || this.code.startsWith("store_");
  }
}

/** Parameters without the empty ones. */
export function query(parameters: Record<string, string | undefined>): string {
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries(parameters)) if (value) search.set(name, value);
  return search.toString();
}

export async function ask<T>(path: string, signal: AbortSignal): Promise<T> {
  let response: Response;
  try {
    response = await fetch(`/api/v1/${path}`, { signal, headers: { accept: "application/json" } });
  } catch (error) {
    if (signal.aborted) throw error;
    throw new Failed("network", String(error));
  }
  if (response.ok) return (await response.json()) as T;
  const told = (await response.json().catch(() => ({}))) as { code?: string; message?: string };
  throw new Failed(told.code ?? "network", told.message ?? response.statusText);
}
