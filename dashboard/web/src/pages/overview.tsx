import { changed, follow, kept } from "../address";
import { type Card, type Overview, query } from "../api";
import { useAsk } from "../ask";
import type { PageProps } from "../main";
import { Answered, Notice } from "../parts/notice";
import { Division, NetScale, PolarityKeys } from "../parts/sentiment";
import { Spark } from "../parts/spark";
import { useSpeech } from "../words";

export function OverviewPage({ period, search }: PageProps) {
  const { t, f } = useSpeech();
  const asked = useAsk<Overview>(`overview?${query({ from: period.from, to: period.to })}`);
  return (
    <Answered asked={asked}>
      {(overview) =>
        overview.brands.length === 0 && overview.mentions === 0 ? (
          <Notice title={t("noneYet")}>{t("noneYetHelp")}</Notice>
        ) : (
          <>
            <p class="summary"><strong>{f.whole(overview.mentions)}</strong> {t("allMentions")} <Change now={overview.mentions} before={overview.previous_mentions} /> {overview.previous_mentions > 0 && <span class="change" aria-hidden="true">{t("before")}</span>}</p>
            <ul class="cards">
              {overview.brands.map((card) => <li><BrandCard card={card} keep={kept(search)} /></li>)}
            </ul>
            <div class="legend below"><PolarityKeys /><span><svg viewBox="0 0 34 10" width="34" height="10" aria-hidden="true" class="scale-key"><rect x="3" y="2" width="28" height="6" rx="3" /><circle cx="17" cy="5" r="4" /></svg>{t("scaleLegend")}</span></div>
            <Share cards={overview.brands} />
          </>
        )
      }
    </Answered>
  );
}

function BrandCard({ card, keep }: { card: Card; keep: Record<string, string> }) {
  const { t, f } = useSpeech();
  const to = (path: string) => changed({ brand: card.brand }, path, new URLSearchParams(keep));
  return (
    <article class="card">
      <header>
        <h2><a href={to("/brand")} onClick={follow}><bdi>{card.brand}</bdi></a></h2>
        {card.open_incidents > 0 && (
          <a class="alarm" href={to("/incidents")} onClick={follow}>{f.whole(card.open_incidents)} {t(card.open_incidents === 1 ? "openIncident" : "openIncidents")}</a>
        )}
      </header>
      <div class="figures">
        <div>
          <div class="figure">{f.whole(card.mentions)}</div>
          <div class="label">{t("mentions")}</div>
          <Change now={card.mentions} before={card.previous_mentions} />
        </div>
        <div>
          <div class="figure">{card.net ? f.net(card.net.value) : "–"}</div>
          <div class="label" title={t("netHelp")}>{t("net")}</div>
          {card.net && <div class="change range">[{f.net(card.net.low)} … {f.net(card.net.high)}]</div>}
          {card.net && card.previous_net && (
            <span class={`change ${card.clear ? "clear" : ""}`} title={t("before")}>
              {f.net(card.net.value - card.previous_net.value)} <span class="why">{t(card.clear ? "clear" : "unclear")}</span>
            </span>
          )}
        </div>
      </div>
      {card.net && <NetScale net={card.net} />}
      <Spark points={card.spark} />
      <Division negative={card.negative} neutral={card.neutral} positive={card.positive} />
      <footer><a href={to("/mentions")} onClick={follow}>{t("showMentions")}</a></footer>
    </article>
  );
}

function Change({ now, before }: { now: number; before: number }) {
  const { t, f } = useSpeech();
  if (before === 0) return <span class="change">{now > 0 && t("nothingBefore")}</span>;
  const change = now / before - 1;
  const arrow = change > 0.005 ? "▲" : change < -0.005 ? "▼" : "=";
  return <span class="change" title={`${t("before")}: ${f.whole(before)}`}><span aria-hidden="true">{arrow}</span> {f.change(change)} <span class="sr">{t("before")}</span></span>;
}

function Share({ cards }: { cards: Card[] }) {
  const { t, f } = useSpeech();
  const most = Math.max(...cards.map((card) => card.share), 0.001);
  return (
    <section class="panel">
      <h2>{t("share")}</h2>
      <p class="hint">{t("shareHelp")}</p>
      <table class="bars">
        <thead class="sr"><tr><th>{t("brand")}</th><th>{t("share")}</th><th>{t("mentions")}</th></tr></thead>
        <tbody>
          {cards.map((card) => (
            <tr>
              <th scope="row"><bdi>{card.brand}</bdi></th>
              <td class="bar"><span style={{ width: `${(card.share / most) * 100}%` }} /></td>
              <td class="number">{f.percent(card.share)}</td>
              <td class="number faint">{f.whole(card.mentions)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}
