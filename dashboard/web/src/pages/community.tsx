import { changed, go } from "../address";
import { type Engagement, type Questions, type Waits, query } from "../api";
import { useAsk } from "../ask";
import type { PageProps } from "../main";
import { Explain } from "../parts/explain";
import { Choice } from "../parts/filters";
import { Heat } from "../parts/heat";
import { Marked } from "../parts/marked";
import { Answered } from "../parts/notice";
import { useSpeech } from "../words";

/** Fewer questions have no median worth telling. */
const ENOUGH = 3;
const zone = () => Intl.DateTimeFormat().resolvedOptions().timeZone;

export function CommunityPage({ choices, search, period }: PageProps) {
  const { t } = useSpeech();
  const [brand, source, order] = ["brand", "source", "order"].map((name) => search.get(name) ?? "");
  const chosen = { from: period.from, to: period.to, brand, source };
  const own = search.get("own") === "true";
  const questions = useAsk<Questions>(`questions?${query({ ...chosen, order })}`);
  const engagement = useAsk<Engagement>(`engagement?${query({ ...chosen, zone: zone(), own: own ? "true" : "" })}`);
  const explained = search.get("mention");
  const set = (name: string) => (value: string) => go(changed({ [name]: value }));
  return (
    <>
      <div class="filters pair">
        <Choice label={t("brand")} value={brand ?? ""} set={set("brand")} options={choices.brands.map((one) => [one, one])} />
        <Choice label={t("source")} value={source ?? ""} set={set("source")} options={choices.sources.map((one) => [one, one])} />
      </div>
      <Answered asked={questions}>{(told) => <Asked told={told} newest={order === "newest"} />}</Answered>
      <Answered asked={engagement}>{(told) => <Reactions told={told} own={own} />}</Answered>
      {explained && <Explain id={explained} close={() => go(changed({ mention: "" }), true)} />}
    </>
  );
}

function Asked({ told, newest }: { told: Questions; newest: boolean }) {
  const { t, f } = useSpeech();
  const { all } = told;
  if (all.asked === 0) return <section class="panel"><h2>{t("waiting")}</h2><p class="hint">{t("noQuestions")}</p></section>;
  const time = (seconds: number | null) => (seconds === null ? "–" : f.seconds(seconds));
  return (
    <>
      <div class="strip">
        <div><div class="figure">{f.whole(all.asked)}</div><div class="label">{t("asked")}</div></div>
        <div><div class="figure">{f.percent(all.answered / all.asked)}</div><div class="label">{t("answered")}</div></div>
        <div><div class="figure">{time(all.median)}</div><div class="label" title={t("waitHelp")}>{t("medianWait")}</div></div>
        <div><div class="figure">{time(all.p90)}</div><div class="label" title={t("waitHelp")}>{t("p90Wait")}</div></div>
        <div><div class="figure">{time(all.own_median)}</div><div class="label">{t("ownWait", f.whole(all.own_answered))}</div></div>
      </div>
      <section class="panel">
        <h2>{t("waiting")} <span class="faint">{f.whole(all.asked - all.answered)}</span></h2>
        {told.waiting.length === 0 ? <p class="hint">{t("noneWaiting")}</p> : (
          <>
            <p class="hint">{t("waitingHelp", f.whole(told.waiting.length))} <button type="button" class="link" onClick={() => go(changed({ order: newest ? "" : "newest" }))}>{t(newest ? "oldestFirst" : "newestFirst")}</button></p>
            <ol class="waiting" tabIndex={0} aria-label={t("waiting")}>
              {told.waiting.map((one) => (
                <li key={one.id}>
                  <div class="meta"><span class="chip">{t("waits", f.seconds(one.age))}</span> {one.brands.map((name) => <span class="chip brand"><bdi>{name}</bdi></span>)} <bdi>{one.source}</bdi> · <time dateTime={one.published_at}>{f.moment(one.published_at)}</time></div>
                  {one.title && <h3><bdi>{one.title}</bdi></h3>}
                  <p><Marked text={one.text} spans={[]} language={one.language} /></p>
                  <footer><button type="button" class="link" onClick={() => go(changed({ mention: one.id }))}>{t("explain")}</button> {one.url && <a href={one.url} target="_blank" rel="noopener noreferrer nofollow">{t("open")} ↗</a>}</footer>
                </li>
              ))}
            </ol>
          </>
        )}
      </section>
      <div class="columns">
        <WaitTable title={t("waitByTopic")} rows={told.topics} first={t("topic")} />
        <WaitTable title={t("waitBySource")} rows={told.sources} first={t("source")} />
      </div>
    </>
  );
}

function WaitTable({ title, rows, first }: { title: string; rows: Waits[]; first: string }) {
  const { t, f } = useSpeech();
  const time = (row: Waits, seconds: number | null) => (seconds === null || row.answered < ENOUGH ? "–" : f.seconds(seconds));
  return (
    <section class="panel">
      <h2>{title}</h2>
      <p class="hint">{t("waitTableHelp", String(ENOUGH))}</p>
      {rows.length === 0 ? <p class="hint">{t("noneFound")}</p> : (
        <div class="scroll" tabIndex={0} role="region" aria-label={title}>
          <table>
            <thead><tr><th>{first}</th><th class="number">{t("asked")}</th><th class="number">{t("answered")}</th><th class="number">{t("median")}</th><th class="number">{t("p90")}</th></tr></thead>
            <tbody>{rows.map((row) => <tr><th scope="row"><bdi>{row.name}</bdi></th><td class="number">{f.whole(row.asked)}</td><td class="number">{f.percent(row.answered / row.asked)}</td><td class="number">{time(row, row.median)}</td><td class="number">{time(row, row.p90)}</td></tr>)}</tbody>
          </table>
        </div>
      )}
    </section>
  );
}

function Reactions({ told, own }: { told: Engagement; own: boolean }) {
  const { t, f } = useSpeech();
  return (
    <>
      <section class="panel">
        <h2>{t("hours")}</h2>
        <div class="segments" role="group" aria-label={t("hours")}>
          {[false, true].map((one) => <button type="button" aria-pressed={one === own} onClick={() => go(changed({ own: one ? "true" : "" }))}>{t(one ? "ownPosts" : "allPosts")}</button>)}
        </div>
        {told.hours.length === 0 ? <p class="hint">{t(own ? "noOwnPosts" : "noneFound")}</p> : <Heat hours={told.hours} />}
      </section>
      <div class="columns">
        <section class="panel">
          <h2>{t("engagement")}</h2>
          <p class="hint">{t("engagementHelp")}</p>
          {told.sources.length === 0 ? <p class="hint">{t("noneFound")}</p> : (
            <div class="scroll" tabIndex={0} role="region" aria-label={t("engagement")}>
              <table>
                <thead><tr><th>{t("source")}</th><th class="number">{t("mentions")}</th><th class="number">{t("engaged")}</th><th class="number">{t("each")}</th><th class="number">{t("rate")}</th></tr></thead>
                <tbody>{told.sources.map((one) => <tr><th scope="row"><bdi>{one.source}</bdi></th><td class="number">{f.whole(one.mentions)}</td><td class="number">{one.counted ? f.percent(one.engaged / one.counted) : "–"}</td><td class="number">{one.counted ? f.decimal(one.reactions / one.counted) : "–"}</td><td class="number">{one.rate === null ? "–" : f.percent(one.rate)}</td></tr>)}</tbody>
              </table>
            </div>
          )}
        </section>
        <section class="panel">
          <h2>{t("members")}</h2>
          <p class="hint">{t("membersHelp")}</p>
          {told.members.length === 0 ? <p class="hint">{t("noneFound")}</p> : (
            <div class="scroll" tabIndex={0} role="region" aria-label={t("members")}>
              <table>
                <thead><tr><th>{t("author")}</th><th class="number">{t("questionsAnswered")}</th><th class="number">{t("answersGiven")}</th><th class="number">{t("likes")}</th></tr></thead>
                <tbody>{told.members.map((one) => <tr><td><span class="mono">{one.author.slice(0, 12)}</span> <span class="faint">{one.source}</span></td><td class="number">{f.whole(one.questions)}</td><td class="number">{f.whole(one.answers)}</td><td class="number">{f.whole(one.likes)}</td></tr>)}</tbody>
              </table>
            </div>
          )}
        </section>
      </div>
    </>
  );
}
