import type { ComponentChildren } from "preact";
import { useEffect, useState } from "preact/hooks";
import { changed, follow } from "../address";
import { type Language, type Word, useSpeech } from "../words";

const PAGES: [string, Word][] = [
  ["/", "overview"],
  ["/brand", "brand"],
  ["/mentions", "mentions"],
  ["/incidents", "incidents"],
  ["/community", "community"],
  ["/health", "health"],
];

type Theme = "light" | "dark";

function firstTheme(): Theme {
  const chosen = localStorage.getItem("theme");
  if (chosen === "light" || chosen === "dark") return chosen;
  return matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light";
}

interface Props { path: string; keep: Record<string, string>; language: Language; choose: (language: Language) => void; children: ComponentChildren }

export function Shell({ path, keep, language, choose, children }: Props) {
  const { t } = useSpeech();
  const [theme, setTheme] = useState<Theme>(firstTheme);
  useEffect(() => {
    document.documentElement.dataset["theme"] = theme;
  }, [theme]);
  const title = PAGES.find(([at]) => at === path)?.[1] ?? "notFound";
  useEffect(() => {
    document.title = `${t(title)} · Echolot`;
  }, [title, t]);
  const other: Theme = theme === "light" ? "dark" : "light";
  const turn = () => {
    localStorage.setItem("theme", other);
    setTheme(other);
    dispatchEvent(new Event("theme"));
  };
  return (
    <>
      <a class="skip" href="#main">{t("skip")}</a>
      <header class="top">
        <a class="name" href={changed({}, "/", new URLSearchParams(keep))} onClick={follow}>
          <Sign />
          <span>Echolot</span>
        </a>
        <nav aria-label={t("pages")}>
          {PAGES.map(([at, word]) => (
            <a href={changed({}, at, new URLSearchParams(keep))} onClick={follow} aria-current={at === path ? "page" : undefined}>{t(word)}</a>
          ))}
        </nav>
        <div class="choices">
          <button type="button" class="quiet" onClick={turn} aria-label={`${t("theme")}: ${t(other)}`} title={t(other)}>
            {theme === "light" ? <Moon /> : <Sun />}
          </button>
          <button type="button" class="quiet" lang={language === "de" ? "en" : "de"} onClick={() => choose(language === "de" ? "en" : "de")}>
            {language === "de" ? "English" : "Deutsch"}
          </button>
        </div>
      </header>
      <main id="main" tabIndex={-1}>
        {path !== "/brand" && <h1>{t(title)}</h1>}
        {children}
      </main>
    </>
  );
}

const Sign = () => (
  <svg viewBox="0 0 32 32" width="28" height="28" aria-hidden="true">
    <rect width="32" height="32" rx="8" class="sign" />
    <path d="M9 10a10 10 0 0 1 14 0M12 15a6 6 0 0 1 8 0" fill="none" stroke="#fff" stroke-width="2.6" stroke-linecap="round" />
    <circle cx="16" cy="22" r="2.4" fill="#fff" />
  </svg>
);
const Sun = () => (
  <svg viewBox="0 0 24 24" width="18" height="18" fill="none" stroke="currentColor" stroke-width="2" stroke-linecap="round" aria-hidden="true">
    <circle cx="12" cy="12" r="4.5" /><path d="M12 2v2M12 20v2M2 12h2M20 12h2M5 5l1.4 1.4M17.6 17.6 19 19M5 19l1.4-1.4M17.6 6.4 19 5" />
  </svg>
);
const Moon = () => (
  <svg viewBox="0 0 24 24" width="18" height="18" fill="none" stroke="currentColor" stroke-width="2" stroke-linejoin="round" aria-hidden="true">
    <path d="M20 14.5A8.5 8.5 0 0 1 9.5 4a8.5 8.5 0 1 0 10.5 10.5Z" />
  </svg>
);
