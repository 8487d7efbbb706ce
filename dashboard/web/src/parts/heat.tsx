import type { Engagement } from "../api";
import { useSpeech } from "../words";

type Hour = Engagement["hours"][number];
/** An hour that rests on fewer mentions is shown, but neither coloured nor called good. */
const ENOUGH = 5;
const DAYS = [1, 2, 3, 4, 5, 6, 7];
const HOURS = Array.from({ length: 24 }, (_, hour) => hour);

/** The hours of a week: the colour tells typical reactions, the number the mentions behind it. */
export function Heat({ hours }: { hours: Hour[] }) {
  const { t, f } = useSpeech();
  const at = new Map(hours.map((one) => [one.day * 24 + one.hour, one]));
  const sure = hours.filter((one) => one.mentions >= ENOUGH);
  const most = Math.max(...sure.map((one) => one.typical), 0.01);
  const best = [...sure].filter((one) => one.typical > 0).sort((a, b) => b.typical - a.typical).slice(0, 3);
  const named = (one: Hour) => `${f.weekday(one.day)} ${one.hour}–${one.hour + 1}`;
  return (
    <>
      <p class="hint">{t("heatHelp", String(ENOUGH))}</p>
      {best.length > 0 ? (
        <p>{t("bestHours")}: {best.map((one, at) => <>{at > 0 && ", "}<strong>{named(one)}</strong> ({t("heatCell", f.decimal(one.typical), f.whole(one.mentions))})</>)}</p>
      ) : <p>{t("noBestHours")}</p>}
      <div class="scroll" tabIndex={0} role="region" aria-label={t("hours")}>
        <table class="heat">
          <thead><tr><th><span class="sr">{t("weekday")}</span></th>{HOURS.map((hour) => <th scope="col">{hour}</th>)}</tr></thead>
          <tbody>
            {DAYS.map((day) => (
              <tr>
                <th scope="row">{f.weekday(day)}</th>
                {HOURS.map((hour) => {
                  const one = at.get(day * 24 + hour);
                  if (!one) return <td />;
                  const few = one.mentions < ENOUGH;
                  return (
                    <td class={few ? "few" : ""} style={{ "--heat": few ? 0 : one.typical / most }} title={`${named(one)}: ${t("heatCell", f.decimal(one.typical), f.whole(one.mentions))}`}>
                      {f.short(one.mentions)}
                    </td>
                  );
                })}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </>
  );
}
