/** A text with parts of it marked. Text nodes only: whatever somebody wrote, it stays text. */
export function Marked({ text, spans, language }: { text: string; spans: [number, number][]; language?: string }) {
  const parts: preact.ComponentChild[] = [];
  let at = 0;
  for (const [start, end] of spans) {
    if (start < at || end > text.length) continue;
    parts.push(text.slice(at, start), <mark>{text.slice(start, end)}</mark>);
    at = end;
  }
  parts.push(text.slice(at));
  // Right-to-left texts find their own direction and cannot turn what stands around them.
  return <bdi class="text" dir="auto" lang={language === "und" ? undefined : language}>{parts}</bdi>;
}
