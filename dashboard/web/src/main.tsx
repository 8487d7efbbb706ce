import { render } from "preact";
import { useEffect, useState } from "preact/hooks";
import { kept, useAddress } from "./address";
import type { Choices } from "./api";
import { Changes, useAsk, useChanges } from "./ask";
import { Shell } from "./parts/shell";
import { Loading, Notice, Trouble } from "./parts/notice";
import { PeriodPicker } from "./parts/period-picker";
import { OverviewPage } from "./pages/overview";
import { MentionsPage } from "./pages/mentions";
import { BrandPage } from "./pages/brand";
import { CommunityPage } from "./pages/community";
import { HealthPage } from "./pages/health";
import { IncidentsPage } from "./pages/incidents";
import { periodOf } from "./period";
import { type Language, Speaking, firstLanguage, speech, useSpeech } from "./words";
import "./style/base.css";
import "./style/shell.css";
import "./style/pages.css";
import "./style/brand.css";
import "./style/community.css";

/** What every page gets. */
export interface PageProps {
  choices: Choices;
  search: URLSearchParams;
  period: { from: string; to: string };
}

const PAGES: Record<string, (props: PageProps) => preact.JSX.Element> = {
  "/": OverviewPage,
  "/brand": BrandPage,
  "/mentions": MentionsPage,
  "/incidents": IncidentsPage,
  "/community": CommunityPage,
  "/health": HealthPage,
};
const WITHOUT_PERIOD = ["/health"];

function Page({ path, search }: { path: string; search: URLSearchParams }) {
  const { t } = useSpeech();
  const { answer: choices, failure } = useAsk<Choices>("choices");
  const Found = PAGES[path];
  if (!Found) return <Notice title={t("notFound")} />;
  if (!choices) return failure ? <Trouble failure={failure} /> : <Loading />;
  const period = periodOf(search, choices, Date.now());
  return (
    <>
      {!WITHOUT_PERIOD.includes(path) && <PeriodPicker period={period} search={search} />}
      <Found choices={choices} search={search} period={period} />
    </>
  );
}

function App() {
  const [language, setLanguage] = useState<Language>(firstLanguage);
  const { path, search } = useAddress();
  const changes = useChanges();
  useEffect(() => {
    document.documentElement.lang = language;
  }, [language]);
  const choose = (next: Language) => {
    localStorage.setItem("language", next);
    setLanguage(next);
  };
  return (
    <Speaking.Provider value={speech(language)}>
      <Changes.Provider value={changes}>
        <Shell path={path} keep={kept(search)} language={language} choose={choose}>
          <Page path={path} search={search} />
        </Shell>
      </Changes.Provider>
    </Speaking.Provider>
  );
}

const place = document.getElementById("app");
if (place) render(<App />, place);
