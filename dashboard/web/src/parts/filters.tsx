import { useEffect, useState } from "preact/hooks";
import { changed, go } from "../address";
import type { Choices } from "../api";
import { useSpeech } from "../words";

/** Parameters of the address that choose among mentions. */
export const NAMES = ["q", "brand", "source", "language", "sentiment"] as const;
/** After the last key a search waits so long, in milliseconds. */
const PAUSE = 350;

export function Filters({ choices, search }: { choices: Choices; search: URLSearchParams }) {
  const { t, tongue } = useSpeech();
  const asked = search.get("q") ?? "";
  const [text, setText] = useState(asked);
  useEffect(() => setText(asked), [asked]);
  useEffect(() => {
    if (text === asked) return;
    const timer = setTimeout(() => go(changed({ q: text }), true), PAUSE);
    return () => clearTimeout(timer);
  }, [text]);
  const set = (name: string) => (value: string) => go(changed({ [name]: value }));
  const active = NAMES.some((name) => search.get(name));
  return (
    <form class="filters" role="search" aria-label={t("filters")} onSubmit={(event) => { event.preventDefault(); go(changed({ q: text })); }}>
      <label class="wide">
        <span>{t("search")}</span>
        <input type="search" value={text} placeholder={t("searchHint")} maxLength={200} onInput={(event) => setText(event.currentTarget.value)} />
      </label>
      <Choice label={t("brand")} value={search.get("brand")} set={set("brand")} options={choices.brands.map((one) => [one, one])} />
      <Choice label={t("sentiment")} value={search.get("sentiment")} set={set("sentiment")} options={(["negative", "neutral", "positive"] as const).map((one) => [one, t(one)])} />
      <Choice label={t("source")} value={search.get("source")} set={set("source")} options={choices.sources.map((one) => [one, one])} />
      <Choice label={t("language")} value={search.get("language")} set={set("language")} options={choices.languages.map((one) => [one, tongue(one)])} />
      {active && <button type="button" class="quiet" onClick={() => go(changed(Object.fromEntries(NAMES.map((name) => [name, ""]))))}>{t("reset")}</button>}
    </form>
  );
}

interface ChoiceProps { label: string; value: string | null; set: (value: string) => void; options: [string, string][] }

export function Choice({ label, value, set, options }: ChoiceProps) {
  const { t } = useSpeech();
  // A value of the address that nothing has yet is still shown as what is chosen.
  const known = !value || options.some(([name]) => name === value);
  return (
    <label>
      <span>{label}</span>
      <select value={value ?? ""} onChange={(event) => set(event.currentTarget.value)}>
        <option value="">{t("any")}</option>
        {!known && <option value={value ?? ""}>{value}</option>}
        {options.map(([name, shown]) => <option value={name}>{shown}</option>)}
      </select>
    </label>
  );
}
