import type { Health } from "../api";
import { useAsk } from "../ask";
import { Answered } from "../parts/notice";
import { useSpeech } from "../words";

export function HealthPage() {
  const asked = useAsk<Health>("health");
  return <Answered asked={asked}>{(health) => <Body health={health} />}</Answered>;
}

function Body({ health }: { health: Health }) {
  const { t, named, f } = useSpeech();
  const { stored } = health;
  return (
    <>
      <div class="strip">
        <div><div class="figure">{f.whole(stored.mentions)}</div><div class="label">{t("allMentions")}</div></div>
        {stored.p50 !== null && stored.p99 !== null && <div><div class="figure">{f.seconds(stored.p50)}</div><div class="label">{t("freshness")}: {t("freshnessValue", f.seconds(stored.p50), f.seconds(stored.p99))}</div></div>}
        {stored.last_stored && <div><div class="figure small">{f.moment(stored.last_stored)}</div><div class="label">{t("lastStored")}</div></div>}
      </div>
      <Panel title={t("coverage")} empty={health.sources.length === 0 ? t("noneYet") : ""}>
        <table>
          <thead><tr><th>{t("source")}</th><th>{t("state")}</th><th class="number">{t("mentions")}</th><th>{t("newest")}</th><th class="number">{t("lag")}</th><th class="number">{t("rejected")}</th><th class="number">{t("lost")}</th></tr></thead>
          <tbody>
            {health.sources.map((one) => (
              <tr>
                <th scope="row"><bdi>{one.source}</bdi></th>
                <td><span class={`chip ${one.state === "ok" ? "positive" : one.state === "pushed" ? "neutral" : "negative"}`}>{named("state", one.state)}</span>{one.detail && <div class="hint"><bdi>{one.detail}</bdi></div>}</td>
                <td class="number">{f.whole(one.mentions)}</td>
                <td>{one.newest ? (one.state === "pushed" ? f.day(one.newest) : f.moment(one.newest)) : "–"}</td>
                <td class="number">{one.lag_seconds === null ? "–" : f.seconds(one.lag_seconds)}</td>
                <td class="number">{f.whole(one.rejected)}</td>
                <td class="number">{f.whole(one.lost)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </Panel>
      <Panel title={t("gaps")} empty={health.gaps.length === 0 ? t("noGaps") : ""}>
        <table>
          <thead><tr><th>{t("source")}</th><th>{t("from")}</th><th>{t("until")}</th><th>{t("reason")}</th><th>{t("state")}</th></tr></thead>
          <tbody>
            {health.gaps.map((gap) => (
              <tr><th scope="row"><bdi>{gap.source}</bdi></th><td>{f.moment(gap.from)}</td><td>{gap.to ? f.moment(gap.to) : t("ongoing")}</td><td>{named("gap", gap.why)}</td><td>{t(gap.caught_up ? "caughtUp" : "missing")}</td></tr>
            ))}
          </tbody>
        </table>
      </Panel>
      <Panel title={t("models")} empty={health.models.length === 0 ? t("noneYet") : ""}>
        <table>
          <thead><tr><th>{t("purpose")}</th><th>{t("model")}</th><th>{t("version")}</th><th class="number">{t("mentions")}</th><th>{t("lastScored")}</th></tr></thead>
          <tbody>
            {health.models.map((one) => (
              <tr><th scope="row">{t(one.kind === "sentiment" ? "sentimentModel" : "languageModel")}</th><td class="mono">{one.model}</td><td class="mono">{one.version} · {one.hash}</td><td class="number">{f.whole(one.mentions)}</td><td>{f.moment(one.last)}</td></tr>
            ))}
          </tbody>
        </table>
      </Panel>
    </>
  );
}

function Panel({ title, empty, children }: { title: string; empty: string; children: preact.ComponentChildren }) {
  return (
    <section class="panel">
      <h2>{title}</h2>
      {empty ? <p class="hint">{empty}</p> : <div class="scroll" tabIndex={0} role="region" aria-label={title}>{children}</div>}
    </section>
  );
}
