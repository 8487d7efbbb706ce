import { changed, follow } from "../address";
import type { Incident } from "../api";
import { useSpeech } from "../words";

const MINUTE = 60_000;

/** What happened, when, and why it was told. */
export function IncidentItem({ incident }: { incident: Incident }) {
  const { t, named, f } = useSpeech();
  const end = incident.closed_at ?? incident.last_at;
  const written = (time: number) => new Date(time).toISOString().replace(".000Z", "Z");
  const within = {
    brand: incident.brand,
    from: written(Date.parse(incident.started_at)),
    to: written(Math.max(Date.parse(end), Date.parse(incident.opened_at)) + MINUTE),
  };
  const link = (path: string, more: Record<string, string>) => changed({ ...within, ...more }, path, new URLSearchParams());
  const negative = incident.kind === "negative" || incident.kind === "threshold";
  return (
    <article class="incident">
      <header>
        <span class={`chip severity ${incident.severity}`}>{named("", incident.severity)}</span>
        <span class={`chip ${incident.open ? "negative" : "neutral"}`}>{t(incident.open ? "isOpen" : "isClosed")}</span>
        <h2><bdi>{incident.brand}</bdi>: {named("kind", incident.kind)}</h2>
      </header>
      <p>
        {t(incident.kind === "negative" ? "whyNegative" : "why", f.whole(Math.round(incident.observed)), f.seconds(incident.window_minutes * 60), f.whole(Math.round(incident.expected)), f.whole(incident.authors))}
        {incident.share !== null && incident.usual_share !== null && <> · {t("whyShare", f.percent(incident.share), f.percent(incident.usual_share))}</>}
      </p>
      <p class="meta">
        {t("opened")} <time dateTime={incident.opened_at}>{f.moment(incident.opened_at)}</time>
        {incident.closed_at && <> · {t("ended")} <time dateTime={incident.closed_at}>{f.moment(incident.closed_at)}</time></>}
      </p>
      {incident.terms.length > 0 && (
        <p class="words"><span class="faint">{t("standsOut")}: </span>{incident.terms.map(({ term }) => <a class="chip" href={link("/mentions", { q: term })} onClick={follow}><bdi>{term}</bdi></a>)}</p>
      )}
      <footer>
        <a href={link("/mentions", negative ? { sentiment: "negative" } : {})} onClick={follow}>{t("showMentions")}</a>
        {incident.first_mention && <a href={link("/mentions", { mention: incident.first_mention })} onClick={follow}>{t("firstMention")}</a>}
        <a href={changed({ brand: incident.brand, from: written(Date.parse(incident.started_at) - 24 * 60 * MINUTE), to: written(Date.parse(end) + 24 * 60 * MINUTE) }, "/brand", new URLSearchParams())} onClick={follow}>{t("brandView")}</a>
      </footer>
    </article>
  );
}
