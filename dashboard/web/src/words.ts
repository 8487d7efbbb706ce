// Every word of the pages, German and English side by side so that none is forgotten.

import { createContext } from "preact";
import { useContext } from "preact/hooks";
import { type Formats, formats } from "./format";

export type Language = "de" | "en";

const WORDS = {
  overview: ["Überblick", "Overview"],
  mentions: ["Erwähnungen", "Mentions"],
  incidents: ["Vorfälle", "Incidents"],
  community: ["Community", "Community"],
  waiting: ["Fragen ohne Antwort", "Questions without an answer"],
  waitingHelp: ["Gezeigt: {0}.", "Shown: {0}."],
  oldestFirst: ["Älteste zuerst", "Oldest first"],
  newestFirst: ["Neueste zuerst", "Newest first"],
  noQuestions: ["In diesem Zeitraum hat niemand etwas gefragt.", "Nobody asked anything in this period."],
  noneWaiting: ["Jede Frage hat eine Antwort.", "Every question has an answer."],
  waits: ["wartet {0}", "waiting {0}"],
  asked: ["Fragen", "Questions"],
  answered: ["beantwortet", "answered"],
  median: ["Median", "Median"],
  p90: ["90 %", "90 %"],
  medianWait: ["bis zur ersten Antwort (Median)", "to the first answer (median)"],
  p90Wait: ["bis zur ersten Antwort (90 %)", "to the first answer (90 %)"],
  waitHelp: ["Unter den beantworteten Fragen; Fragen ohne Antwort stehen unten", "Among questions that were answered; those that were not are below"],
  ownWait: ["bis ein eigenes Konto antwortete (Median, {0} Fragen)", "until an own account answered (median, {0} questions)"],
  waitByTopic: ["Zeit bis zur ersten Antwort nach Thema", "Time to first answer by topic"],
  waitBySource: ["Zeit bis zur ersten Antwort nach Quelle", "Time to first answer by source"],
  waitTableHelp: ["Zeiten erst ab {0} Antworten; nie nach Personen", "Times from {0} answers on; never by person"],
  topic: ["Thema", "Topic"],
  hours: ["Gute Stunden zum Veröffentlichen", "Good hours to post"],
  weekday: ["Wochentag", "Weekday"],
  allPosts: ["Alle Beiträge", "All posts"],
  ownPosts: ["Eigene Beiträge", "Own posts"],
  noOwnPosts: ["Keine Beiträge eigener Konten in diesem Zeitraum", "No posts by own accounts in this period"],
  heatHelp: ["Je kräftiger die Farbe, desto mehr Reaktionen sind typisch; die Zahl sagt, auf wie vielen Beiträgen das beruht. Stunden mit weniger als {0} Beiträgen bleiben ohne Farbe. Wochentage und Stunden nach der Uhr dieses Geräts.", "The stronger the colour, the more reactions are typical; the number tells how many posts that rests on. Hours with fewer than {0} posts have no colour. Days and hours by this device's clock."],
  heatCell: ["typisch {0} Reaktionen, {1} Beiträge", "typically {0} reactions, {1} posts"],
  bestHours: ["Am besten liefen", "These went best"],
  noBestHours: ["Für eine Empfehlung sind es zu wenige Beiträge.", "There are too few posts for advice."],
  engagement: ["Reaktionen", "Engagement"],
  engagementHelp: ["Anteil der Beiträge mit Reaktion, Reaktionen je Beitrag, und je erreichter Person, wo die Quelle die Reichweite nennt", "Share of posts with any reaction, reactions a post, and for each person reached where the source tells the reach"],
  engaged: ["mit Reaktion", "with any"],
  each: ["je Beitrag", "a post"],
  rate: ["Rate", "Rate"],
  members: ["Hilfreiche Mitglieder", "Helpful members"],
  membersHelp: ["Wer mindestens zwei Fragen anderer beantwortet hat, als Pseudonym; ohne eigene Konten und interne Quellen", "Who answered at least two questions of others, by pseudonym; own accounts and internal sources are left out"],
  questionsAnswered: ["Fragen", "Questions"],
  answersGiven: ["Antworten", "Answers"],
  health: ["Betrieb", "Health"],
  brand: ["Marke", "Brand"],
  skip: ["Zum Inhalt", "Skip to content"],
  pages: ["Seiten", "Pages"],
  time: ["Zeit", "Time"],
  period: ["Zeitraum", "Period"],
  "24h": ["24 Std.", "24 h"],
  "7d": ["7 Tage", "7 days"],
  "30d": ["30 Tage", "30 days"],
  "90d": ["90 Tage", "90 days"],
  all: ["Alles", "All"],
  own: ["Eigener", "Custom"],
  from: ["Von", "From"],
  until: ["Bis", "To"],
  anchored: ["endet mit der neuesten Erwähnung", "ends with the newest mention"],
  light: ["Hell", "Light"],
  dark: ["Dunkel", "Dark"],
  theme: ["Darstellung wechseln", "Change appearance"],
  net: ["Stimmung", "Net sentiment"],
  netHelp: ["Mittel aus positiver minus negativer Wahrscheinlichkeit, von −1 bis +1; in Klammern der Bereich, in dem es mit 95 % Sicherheit liegt", "Mean of positive minus negative probability, from −1 to +1; in brackets where it lies with 95 % confidence"],
  before: ["gegenüber dem Zeitraum davor", "against the period before"],
  scaleLegend: ["Stimmung auf der Skala von −1 bis +1; das Band zeigt, wo sie mit 95 % Sicherheit liegt", "Net sentiment on its scale from −1 to +1; the band shows where it lies with 95 % confidence"],
  upper: ["Obergrenze (95 %)", "upper limit (95 %)"],
  lower: ["Untergrenze (95 %)", "lower limit (95 %)"],
  sourceGap: ["Quelle fiel aus", "a source was down"],
  incident: ["Vorfall", "incident"],
  termsHelp: ["Erwähnungen mit dem Wort und deren Stimmung", "Mentions with the word, and their net sentiment"],
  nothingBefore: ["davor keine", "none before"],
  clear: ["deutliche Änderung", "clear change"],
  unclear: ["kann Zufall sein", "may be chance"],
  share: ["Anteil am Gespräch", "Share of voice"],
  shareHelp: ["Erwähnungen durch andere; eine Erwähnung zweier Marken zählt für beide", "Mentions by others; a mention of two brands counts for both"],
  openIncidents: ["offene Vorfälle", "open incidents"],
  openIncident: ["offener Vorfall", "open incident"],
  negative: ["negativ", "negative"],
  neutral: ["neutral", "neutral"],
  positive: ["positiv", "positive"],
  uncertain: ["unsicher", "uncertain"],
  uncertainHelp: ["Die zwei wahrscheinlichsten Urteile liegen dicht beieinander", "The two most probable verdicts are close together"],
  allMentions: ["Erwähnungen insgesamt", "mentions in all"],
  noneYet: ["Noch keine Erwähnungen", "No mentions yet"],
  noneYetHelp: ["Sobald eine Quelle etwas liefert, erscheint es hier von selbst.", "As soon as a source delivers something, it appears here by itself."],
  noneFound: ["Nichts gefunden", "Nothing found"],
  noneFoundHelp: ["Ein längerer Zeitraum oder weniger Filter zeigen mehr.", "A longer period or fewer filters show more."],
  loading: ["Wird geladen …", "Loading …"],
  storeDown: ["Der Speicher antwortet nicht. Die Seite versucht es weiter und kommt von selbst zurück.", "The store does not answer. The page keeps trying and comes back by itself."],
  storeSlow: ["Die Antwort hat zu lange gedauert. Ein kürzerer Zeitraum geht schneller.", "The answer took too long. A shorter period is faster."],
  failed: ["Das ging nicht", "That did not work"],
  search: ["Suche im Text", "Search the text"],
  searchHint: ["Wörter oder \"genaue Folge\"", "words or \"exact phrase\""],
  source: ["Quelle", "Source"],
  language: ["Sprache", "Language"],
  sentiment: ["Stimmung", "Sentiment"],
  any: ["alle", "any"],
  filters: ["Filter", "Filters"],
  reset: ["Zurücksetzen", "Reset"],
  more: ["Weitere laden", "Load more"],
  end: ["Ende der Liste", "End of the list"],
  explain: ["Erklären", "Explain"],
  close: ["Schließen", "Close"],
  open: ["Öffnen", "Open"],
  explained: ["Woher das kommt", "Where this comes from"],
  confidence: ["Sicherheit", "Confidence"],
  model: ["Modell", "Model"],
  detector: ["Spracherkennung", "Language detector"],
  matched: ["Gefunden durch", "Matched by"],
  version: ["Version", "Version"],
  target: ["Davon betrifft die Marke", "Of this, about the brand"],
  rawPosition: ["Rohereignis", "Raw event"],
  position: ["mentions.raw, Partition {0}, Position {1}", "mentions.raw, partition {0}, offset {1}"],
  observed: ["Angenommen", "Accepted"],
  enriched: ["Bewertet", "Scored"],
  stored: ["Gespeichert", "Stored"],
  nativeId: ["Kennung bei der Quelle", "Id at the source"],
  author: ["Verfasser (Pseudonym)", "Author (pseudonym)"],
  ownAccount: ["eigenes Konto", "own account"],
  likes: ["Gefällt mir", "likes"],
  replies: ["Antworten", "replies"],
  oneLike: ["Gefällt mir", "like"],
  oneReply: ["Antwort", "reply"],
  oneShare: ["geteilt", "share"],
  shares: ["geteilt", "shares"],
  repost: ["Wiederholung", "repost"],
  shortened: ["gekürzt; „Erklären“ zeigt den ganzen Text", "shortened; Explain shows all of it"],
  volume: ["Erwähnungen über die Zeit", "Mentions over time"],
  netOverTime: ["Stimmung über die Zeit", "Net sentiment over time"],
  zoom: ["Ziehen vergrößert den Zeitraum. Ein Klick öffnet die Erwähnungen des Punktes.", "Drag to zoom in. A click opens the mentions of that point."],
  byLanguage: ["Nach Sprache", "By language"],
  bySource: ["Nach Quelle", "By source"],
  terms: ["Wörter", "Words"],
  authors: ["Verfasser", "Authors"],
  term: ["Wort", "Word"],
  gap: ["Lücke", "Gap"],
  gaps: ["Lücken", "Gaps"],
  noGaps: ["Keine Lücken", "No gaps"],
  noIncidents: ["Keine Vorfälle", "No incidents"],
  noIncidentsHelp: ["In diesem Zeitraum ist nichts Ungewöhnliches aufgefallen.", "Nothing unusual stood out in this period."],
  isOpen: ["offen", "open"],
  isClosed: ["geschlossen", "closed"],
  warning: ["Warnung", "warning"],
  high: ["hoch", "high"],
  critical: ["kritisch", "critical"],
  kind_negative: ["Mehr Negatives als üblich", "More negativity than usual"],
  kind_positive: ["Mehr Positives als üblich", "More praise than usual"],
  kind_volume: ["Mehr Erwähnungen als üblich", "More mentions than usual"],
  kind_silence: ["Ungewöhnliche Stille", "Unusual silence"],
  kind_threshold: ["Schwelle überschritten", "Threshold crossed"],
  why: ["{0} Erwähnungen in {1} statt etwa {2}, von {3} Verfassern", "{0} mentions in {1} instead of about {2}, by {3} authors"],
  whyNegative: ["{0} negative Erwähnungen in {1} statt etwa {2}, von {3} Verfassern", "{0} negative mentions in {1} instead of about {2}, by {3} authors"],
  whyShare: ["Anteil {0}, üblich {1}", "share {0}, usually {1}"],
  standsOut: ["Auffällige Wörter", "Words that stand out"],
  firstMention: ["Erste Erwähnung", "First mention"],
  showMentions: ["Erwähnungen ansehen", "See the mentions"],
  opened: ["Begonnen", "Opened"],
  ended: ["Beendet", "Closed"],
  coverage: ["Quellen", "Sources"],
  state: ["Zustand", "State"],
  state_ok: ["in Ordnung", "ok"],
  state_failing: ["gestört", "failing"],
  state_stopped: ["angehalten", "stopped"],
  state_pushed: ["wird beliefert", "pushed"],
  lastSuccess: ["Zuletzt erreicht", "Last reached"],
  newest: ["Neueste Erwähnung", "Newest mention"],
  lag: ["Rückstand", "Lag"],
  accepted: ["Angenommen", "Accepted"],
  rejected: ["Abgelehnt", "Rejected"],
  lost: ["Verloren", "Lost"],
  models: ["Modelle", "Models"],
  sentimentModel: ["Stimmung", "Sentiment"],
  languageModel: ["Sprache", "Language"],
  freshness: ["Zeit bis gespeichert", "Time until stored"],
  freshnessValue: ["Hälfte in {0}, 99 % in {1}", "half within {0}, 99 % within {1}"],
  lastStored: ["Zuletzt gespeichert", "Last stored"],
  ongoing: ["dauert an", "ongoing"],
  caughtUp: ["nachgeholt", "caught up"],
  missing: ["fehlt", "missing"],
  gap_outage: ["Quelle antwortete nicht", "the source did not answer"],
  gap_rate_limit: ["Quelle ließ nicht mehr Abrufe zu", "the source allowed no more requests"],
  gap_clamped_cursor: ["Quelle reicht nicht so weit zurück", "the source does not reach back that far"],
  gap_window: ["mehr Neues, als die Quelle zeigt", "more that is new than the source shows"],
  gap_unauthorised: ["Zugang abgelehnt", "access refused"],
  gap_closed: ["von der Quelle geschlossen", "closed by the source"],
  reason: ["Grund", "Reason"],
  purpose: ["Zweck", "Purpose"],
  lastScored: ["Zuletzt bewertet", "Last scored"],
  asTable: ["Als Tabelle", "As a table"],
  notFound: ["Diese Seite gibt es nicht", "There is no such page"],
  of: ["von", "of"],
  brandView: ["Verlauf ansehen", "See the course"],
  und: ["unbestimmt", "undetermined"],
} as const satisfies Record<string, readonly [string, string]>;

export type Word = keyof typeof WORDS;

export function say(language: Language, word: Word, ...values: string[]): string {
  const text: string = WORDS[word][language === "de" ? 0 : 1];
  return text.replace(/\{(\d)\}/g, (_, at: string) => values[Number(at)] ?? "");
}

/** A word that the server names, such as a state; itself where we have none. */
export function sayNamed(language: Language, prefix: string, name: string): string {
  const key = (prefix ? `${prefix}_${name}` : name) as Word;
  return key in WORDS ? say(language, key) : name;
}

export interface Speech { language: Language; t: (word: Word, ...values: string[]) => string; named: (prefix: string, name: string) => string; tongue: (code: string) => string; f: Formats }

export function speech(language: Language): Speech {
  const names = new Intl.DisplayNames([language], { type: "language" });
  return {
    language,
    t: (word, ...values) => say(language, word, ...values),
    named: (prefix, name) => sayNamed(language, prefix, name),
    tongue: (code) => {
      if (code === "und") return say(language, "und");
      try {
        return names.of(code) ?? code;
      } catch {
        return code;
      }
    },
    f: formats(language),
  };
}

export const Speaking = createContext<Speech>(speech("en"));
export const useSpeech = (): Speech => useContext(Speaking);

/** The reader's choice, or else the browser's first language. */
export function firstLanguage(): Language {
  const chosen = localStorage.getItem("language");
  if (chosen === "de" || chosen === "en") return chosen;
  return navigator.language.toLowerCase().startsWith("de") ? "de" : "en";
}
