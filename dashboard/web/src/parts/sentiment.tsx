import type { Net, Polarity, Sentiment } from "../api";
import { useSpeech } from "../words";

/** What the model says, with its confidence; a close call is shown as one. */
export function SentimentChip({ sentiment }: { sentiment: Sentiment }) {
  const { t, f } = useSpeech();
  const sure = f.percent(sentiment.confidence);
  if (sentiment.uncertain) {
    return <span class="chip uncertain" title={t("uncertainHelp")}><Mark polarity={sentiment.polarity} />{t("uncertain")}: {t(sentiment.polarity)} {sure}</span>;
  }
  return <span class={`chip ${sentiment.polarity}`}><Mark polarity={sentiment.polarity} />{t(sentiment.polarity)} {sure}</span>;
}

/** A shape beside the colour, so that neither is needed to tell. */
export const Mark = ({ polarity }: { polarity: Polarity }) => (
  <svg viewBox="0 0 10 10" width="9" height="9" aria-hidden="true" class={`mark ${polarity}`}>
    {polarity === "positive" ? <path d="M5 1 9 8.6H1z" /> : polarity === "negative" ? <path d="M5 9 1 1.4h8z" /> : <circle cx="5" cy="5" r="3.6" />}
  </svg>
);

/** How mentions divide: a bar for the eye, the counts in its name for the ear. */
export function Division({ negative, neutral, positive }: { negative: number; neutral: number; positive: number }) {
  const { t, f } = useSpeech();
  const all = negative + neutral + positive;
  if (all === 0) return <div class="division" />;
  const parts: [Polarity, number][] = [["negative", negative], ["neutral", neutral], ["positive", positive]];
  const told = parts.map(([polarity, n]) => `${f.whole(n)} ${t(polarity)}`).join(", ");
  return (
    <div class="division" role="img" aria-label={told} title={told}>
      {parts.map(([polarity, n]) => n > 0 && <span class={`fill ${polarity}`} style={{ flexGrow: n }} />)}
    </div>
  );
}

/** What the colours mean. */
export function PolarityKeys() {
  const { t } = useSpeech();
  return <>{(["negative", "neutral", "positive"] as const).map((one) => <span><i class={`fill ${one}`} />{t(one)}</span>)}</>;
}

/** The mean, and where it lies with 95 % confidence, on a scale from -1 to 1. */
export function NetScale({ net }: { net: Net }) {
  const { t, f } = useSpeech();
  const at = (value: number) => `${((value + 1) / 2) * 100}%`;
  return (
    <div class="scale" role="img" aria-label={`${t("net")} ${f.net(net.value)} [${f.net(net.low)} … ${f.net(net.high)}]`}>
      <span class="zero" />
      <span class="interval" style={{ left: at(net.low), right: `${(1 - (net.high + 1) / 2) * 100}%` }} />
      <span class="dot" style={{ left: at(net.value) }} />
    </div>
  );
}
