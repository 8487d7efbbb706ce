import { useEffect, useRef, useState } from "preact/hooks";
import { changed, go } from "../address";
import { Failed, type Mention, type Mentions, ask, query } from "../api";
import { useAsk } from "../ask";
import type { PageProps } from "../main";
import { Explain } from "../parts/explain";
import { Marked } from "../parts/marked";
import { Answered, Notice, Trouble } from "../parts/notice";
import { Mark, SentimentChip } from "../parts/sentiment";
import { Filters, NAMES } from "../parts/filters";
import { useSpeech } from "../words";

export function MentionsPage({ choices, search, period }: PageProps) {
  const { t } = useSpeech();
  const filters = Object.fromEntries(NAMES.map((name) => [name, search.get(name) ?? ""]));
  const path = `mentions?${query({ from: period.from, to: period.to, ...filters })}`;
  const asked = useAsk<Mentions>(path);
  const explained = search.get("mention");
  return (
    <>
      <Filters choices={choices} search={search} />
      <Answered asked={asked}>
        {(first) => (first.mentions.length === 0 ? <Notice title={t("noneFound")}>{t("noneFoundHelp")}</Notice> : <List key={path} path={path} first={first} />)}
      </Answered>
      {explained && <Explain id={explained} close={() => go(changed({ mention: "" }), true)} />}
    </>
  );
}

/** The first page comes and is renewed from above; further ones as the reader gets near the end. */
function List({ path, first }: { path: string; first: Mentions }) {
  const { t } = useSpeech();
  const [more, setMore] = useState<Mention[]>([]);
  const [next, setNext] = useState(first.next);
  const [failure, setFailure] = useState<Failed>();
  const busy = useRef(false);
  const end = useRef<HTMLDivElement>(null);
  const load = async () => {
    if (busy.current || !next) return;
    busy.current = true;
    try {
      const page = await ask<Mentions>(`${path}&${query({ cursor: next })}`, new AbortController().signal);
      setMore((had) => [...had, ...page.mentions]);
      setNext(page.next);
      setFailure(undefined);
    } catch (error) {
      setFailure(error instanceof Failed ? error : new Failed("network", String(error)));
    } finally {
      busy.current = false;
    }
  };
  useEffect(() => {
    if (!end.current) return;
    const near = new IntersectionObserver((seen) => seen.some((one) => one.isIntersecting) && void load(), { rootMargin: "600px" });
    near.observe(end.current);
    return () => near.disconnect();
  }, [next]);
  const known = new Set(first.mentions.map((mention) => mention.id));
  const all = [...first.mentions, ...more.filter((mention) => !known.has(mention.id))];
  return (
    <>
      <ol class="list">{all.map((mention) => <li key={mention.id}><Item mention={mention} /></li>)}</ol>
      {failure && <Trouble failure={failure} />}
      <div ref={end} class="end">
        {next ? <button type="button" onClick={() => void load()}>{t("more")}</button> : <span class="hint">{t("end")}</span>}
      </div>
    </>
  );
}

function Item({ mention }: { mention: Mention }) {
  const { t, tongue, f } = useSpeech();
  const counts = ([["likes", "oneLike", mention.likes], ["replies", "oneReply", mention.replies], ["shares", "oneShare", mention.shares]] as const).filter(([, , n]) => n);
  return (
    <article class="mention">
      <header>
        <SentimentChip sentiment={mention.sentiment} />
        {mention.brands.map((of) => (
          <span class="chip brand">
            {of.polarity !== mention.sentiment.polarity && <><Mark polarity={of.polarity} /><span class="sr">{t(of.polarity)} </span></>}
            <bdi>{of.brand}</bdi>{of.owned && ` · ${t("ownAccount")}`}
          </span>
        ))}
        <span class="meta"><bdi>{mention.source}</bdi> · {tongue(mention.language)} · <time dateTime={mention.published_at}>{f.moment(mention.published_at)}</time>{mention.repost && ` · ${t("repost")}`}</span>
      </header>
      {mention.title && <h2><bdi>{mention.title}</bdi></h2>}
      <p><Marked text={mention.text} spans={mention.spans} language={mention.language} />{mention.shortened && <span class="hint"> … ({t("shortened")})</span>}</p>
      <footer>
        <button type="button" class="link" onClick={() => go(changed({ mention: mention.id }))}>{t("explain")}</button>
        {mention.url && <a href={mention.url} target="_blank" rel="noopener noreferrer nofollow">{t("open")} ↗</a>}
        <span class="meta">{counts.map(([many, one, n]) => `${f.short(n ?? 0)} ${t(n === 1 ? one : many)}`).join(" · ")}</span>
      </footer>
    </article>
  );
}
