import { changed, go } from "../address";
import { type Incidents, query } from "../api";
import { useAsk } from "../ask";
import type { PageProps } from "../main";
import { IncidentItem } from "../parts/incident";
import { Choice } from "../parts/filters";
import { Answered, Notice } from "../parts/notice";
import { useSpeech } from "../words";

export function IncidentsPage({ choices, search, period }: PageProps) {
  const { t } = useSpeech();
  const brand = search.get("brand") ?? "";
  const asked = useAsk<Incidents>(`incidents?${query({ from: period.from, to: period.to, brand })}`);
  return (
    <>
      <div class="filters narrow"><Choice label={t("brand")} value={brand} set={(value) => go(changed({ brand: value }))} options={choices.brands.map((one) => [one, one])} /></div>
      <Answered asked={asked}>
        {({ incidents }) => (incidents.length === 0 ? <Notice title={t("noIncidents")}>{t("noIncidentsHelp")}</Notice> : <ol class="list timeline">{incidents.map((one) => <li key={one.incident}><IncidentItem incident={one} /></li>)}</ol>)}
      </Answered>
    </>
  );
}
