import { changed, go } from "../address";
import { PRESETS, type Period } from "../period";
import { type Word, useSpeech } from "../words";

const DAY = 86_400_000;
const dayOf = (time: string) => time.slice(0, 10);

export function PeriodPicker({ period, search }: { period: Period; search: URLSearchParams }) {
  const { t, f } = useSpeech();
  const preset = (name: string) => go(changed({ period: name, from: "", to: "" }));
  const choose = (from: string, lastDay: string) => {
    if (!from || !lastDay || lastDay < from) return;
    const to = new Date(Date.parse(`${lastDay}T00:00:00Z`) + DAY).toISOString().slice(0, 19);
    go(changed({ period: "", from: `${from}T00:00:00Z`, to: `${to}Z` }, location.pathname, search));
  };
  const lastDay = dayOf(new Date(Date.parse(period.to) - 1).toISOString());
  return (
    <div class="period">
      <div class="segments" role="group" aria-label={t("period")}>
        {PRESETS.map((name) => (
          <button type="button" aria-pressed={period.preset === name} onClick={() => preset(name)}>{t(name as Word)}</button>
        ))}
      </div>
      <div class="days">
        <label>
          <span class="sr">{t("from")}</span>
          <input type="date" value={dayOf(period.from)} max={lastDay} onChange={(event) => choose(event.currentTarget.value, lastDay)} />
        </label>
        <span aria-hidden="true">–</span>
        <label>
          <span class="sr">{t("until")}</span>
          <input type="date" value={lastDay} min={dayOf(period.from)} onChange={(event) => choose(dayOf(period.from), event.currentTarget.value)} />
        </label>
      </div>
      {period.anchored && <span class="hint">{t("anchored")} ({f.day(Date.parse(period.to) - 1)})</span>}
    </div>
  );
}
