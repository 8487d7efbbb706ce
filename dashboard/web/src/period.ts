// The time that a page is about: a preset up to the newest mention, or two days that somebody chose.

import type { Choices } from "./api";

export const PRESETS = ["24h", "7d", "30d", "90d", "all"] as const;
const HOUR = 3_600_000;
const LENGTH: Record<string, number> = { "24h": 24 * HOUR, "7d": 7 * 24 * HOUR, "30d": 30 * 24 * HOUR, "90d": 90 * 24 * HOUR };

export interface Period { from: string; to: string; preset: string; anchored: boolean }

const written = (time: number) => new Date(time).toISOString().replace(".000Z", "Z");

/** `anchored` is true where the newest mention is older than the preset: then it ends with that. */
export function periodOf(search: URLSearchParams, choices: Choices, now: number): Period {
  const [from, to] = [search.get("from"), search.get("to")];
  if (from && to && !Number.isNaN(Date.parse(from)) && !Number.isNaN(Date.parse(to)) && Date.parse(from) < Date.parse(to)) {
    return { from: written(Date.parse(from)), to: written(Date.parse(to)), preset: "", anchored: false };
  }
  const asked = search.get("period") ?? "7d";
  const preset = (PRESETS as readonly string[]).includes(asked) ? asked : "7d";
  const minute = Math.ceil(now / 60_000) * 60_000;
  const last = choices.last ? Date.parse(choices.last) : minute;
  if (preset === "all") {
    const first = choices.first ? Date.parse(choices.first) : minute - 24 * HOUR;
    return { from: written(first), to: written(Math.max(last, first + HOUR)), preset, anchored: false };
  }
  const length = LENGTH[preset] ?? 7 * 24 * HOUR;
  const anchored = last < minute - length;
  const end = anchored ? last : minute;
  return { from: written(end - length), to: written(end), preset, anchored };
}
