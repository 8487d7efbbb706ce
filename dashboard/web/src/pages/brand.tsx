import { changed, follow, go, kept } from "../address";
import { type BrandPage as Course, type Group, query } from "../api";
import { useAsk } from "../ask";
import type { PageProps } from "../main";
import { Charts } from "../parts/chart";
import { IncidentItem } from "../parts/incident";
import { Answered, Notice } from "../parts/notice";
import { Division, NetScale, PolarityKeys } from "../parts/sentiment";
import { useSpeech } from "../words";

const time = (seconds: number) => new Date(Math.round(seconds / 60) * 60_000).toISOString().replace(".000Z", "Z");

export function BrandPage({ choices, search, period }: PageProps) {
  const { t, tongue } = useSpeech();
  const brand = search.get("brand") ?? choices.brands[0];
  const [source, language] = [search.get("source") ?? "", search.get("language") ?? ""];
  const path = brand && `brand?${query({ from: period.from, to: period.to, brand, source, language })}`;
  const asked = useAsk<Course>(path);
  if (!brand) return <><h1>{t("brand")}</h1><Notice title={t("noneYet")}>{t("noneYetHelp")}</Notice></>;
  return (
    <>
      <h1 class="brand-name">
        <span class="sr">{t("brand")} {brand}</span>
        <select aria-label={t("brand")} value={brand} onChange={(event) => go(changed({ brand: event.currentTarget.value }))}>
          {!choices.brands.includes(brand) && <option value={brand}>{brand}</option>}
          {choices.brands.map((one) => <option value={one}>{one}</option>)}
        </select>
        {(source || language) && (
          <button type="button" class="quiet" onClick={() => go(changed({ source: "", language: "" }))}>
            {[source, language && tongue(language)].filter(Boolean).join(" · ")} ✕ {t("reset")}
          </button>
        )}
      </h1>
      <Answered asked={asked}>
        {(course) => (course.total.mentions === 0 && course.incidents.length === 0 ? <Notice title={t("noneFound")}>{t("noneFoundHelp")}</Notice> : <Body course={course} search={search} />)}
      </Answered>
    </>
  );
}

function Body({ course, search }: { course: Course; search: URLSearchParams }) {
  const { t, tongue, f } = useSpeech();
  const { total } = course;
  const mentions = (more: Record<string, string>) => changed({ brand: course.brand, ...more }, "/mentions", new URLSearchParams(kept(search)));
  const zoom = (from: number, to: number) => go(changed({ period: "", from: time(from), to: time(to) }));
  const pick = (at: number) => go(mentions({ period: "", from: time(at), to: time(at + course.step) }));
  return (
    <>
      <div class="strip">
        <div><div class="figure">{f.whole(total.mentions)}</div><div class="label">{t("mentions")}</div></div>
        <div class="strip-net">
          <div class="figure">{total.net ? f.net(total.net.value) : "–"}</div>
          <div class="label" title={t("netHelp")}>{t("net")}{total.net && <span class="range"> [{f.net(total.net.low)} … {f.net(total.net.high)}]</span>}</div>
          {total.net && <NetScale net={total.net} />}
        </div>
        <div class="strip-division"><Division {...total} /><div class="legend"><PolarityKeys /></div></div>
      </div>
      <section class="panel">
        <h2>{t("volume")}</h2>
        <p class="hint">{t("zoom")}</p>
        {(course.incidents.length > 0 || course.gaps.length > 0) && (
          <div class="legend">
            {course.incidents.length > 0 && <span><i class="incident-key" />{t("incident")}</span>}
            {course.gaps.length > 0 && <span><i class="gap-key" />{t("sourceGap")}: {[...new Set(course.gaps.map((gap) => gap.source))].join(", ")}</span>}
          </div>
        )}
        <Charts course={course} zoom={zoom} pick={pick} />
        <ChartTable course={course} />
      </section>
      <div class="columns">
        <GroupPanel title={t("byLanguage")} column={t("language")} groups={course.languages} name={tongue} to={(language) => changed({ language })} />
        <GroupPanel title={t("bySource")} column={t("source")} groups={course.sources} name={(one) => one} to={(source) => changed({ source })} />
        <section class="panel">
          <h2>{t("terms")}</h2>
          <p class="hint">{t("termsHelp")}</p>
          {course.terms.length === 0 ? <p class="hint">{t("noneFound")}</p> : (
            <ul class="terms">
              {course.terms.map((term) => (
                <li><a href={mentions({ q: term.term })} onClick={follow}><bdi>{term.term}</bdi></a> <span class="faint number">{f.whole(term.mentions)} · {f.net(term.net)}</span></li>
              ))}
            </ul>
          )}
        </section>
        <section class="panel">
          <h2>{t("authors")}</h2>
          {course.authors.length === 0 ? <p class="hint">{t("noneFound")}</p> : (
            <table>
              <thead><tr><th>{t("author")}</th><th class="number">{t("mentions")}</th><th class="number">{t("net")}</th></tr></thead>
              <tbody>{course.authors.map((one) => <tr><td><span class="mono">{one.author.slice(0, 12)}</span> <span class="faint">{one.source}</span></td><td class="number">{f.whole(one.mentions)}</td><td class="number">{f.net(one.net)}</td></tr>)}</tbody>
            </table>
          )}
        </section>
      </div>
      <section>
        <h2 class="section">{t("incidents")}</h2>
        {course.incidents.length === 0 ? <p class="hint">{t("noIncidents")}</p> : <ol class="list">{course.incidents.map((one) => <li key={one.incident}><IncidentItem incident={one} /></li>)}</ol>}
      </section>
    </>
  );
}

/** The charts for those who cannot see them: the same numbers as a table, closed at first. */
function ChartTable({ course }: { course: Course }) {
  const { t, f } = useSpeech();
  return (
    <details>
      <summary>{t("asTable")}</summary>
      <div class="scroll" tabIndex={0} role="region" aria-label={t("volume")}>
        <table>
          <thead><tr><th>{t("from")}</th><th class="number">{t("negative")}</th><th class="number">{t("neutral")}</th><th class="number">{t("positive")}</th><th class="number">{t("net")}</th></tr></thead>
          <tbody>
            {course.points.filter((point) => point.net).map((point) => (
              <tr><td>{f.moment(point.at)}</td><td class="number">{f.whole(point.negative)}</td><td class="number">{f.whole(point.neutral)}</td><td class="number">{f.whole(point.positive)}</td><td class="number">{point.net && `${f.net(point.net.value)} [${f.net(point.net.low)} … ${f.net(point.net.high)}]`}</td></tr>
            ))}
          </tbody>
        </table>
      </div>
    </details>
  );
}

interface GroupProps { title: string; column: string; groups: Group[]; name: (name: string) => string; to: (name: string) => string }

function GroupPanel({ title, column, groups, name, to }: GroupProps) {
  const { t, f } = useSpeech();
  const most = Math.max(1, ...groups.map((group) => group.mentions));
  return (
    <section class="panel">
      <h2>{title}</h2>
      <table class="groups">
        <thead><tr><th>{column}</th><th class="number">{t("mentions")}</th><th class="number">{t("net")}</th></tr></thead>
        <tbody>
          {groups.slice(0, 12).map((group) => (
            <tr>
              <th scope="row">
                <a href={to(group.name)} onClick={follow}><bdi>{name(group.name)}</bdi></a>
                <div class="share" style={{ width: `${Math.max(4, (group.mentions / most) * 100)}%` }}><Division {...group} /></div>
              </th>
              <td class="number">{f.whole(group.mentions)}</td>
              <td class="number">{group.net ? f.net(group.net.value) : "–"}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}
