import { useEffect, useRef } from "preact/hooks";
import type { Explained, Sentiment } from "../api";
import { useAsk } from "../ask";
import { useSpeech } from "../words";
import { Marked } from "./marked";
import { Answered } from "./notice";
import { Division, SentimentChip } from "./sentiment";

/** One mention down to the raw event, over the page. Escape closes it; focus returns to where it was. */
export function Explain({ id, close }: { id: string; close: () => void }) {
  const { t } = useSpeech();
  const dialog = useRef<HTMLDialogElement>(null);
  const asked = useAsk<Explained>(`mentions/${encodeURIComponent(id)}`);
  useEffect(() => {
    const open = dialog.current;
    open?.showModal();
    return () => open?.close();
  }, []);
  return (
    <dialog ref={dialog} aria-labelledby="explained" onCancel={close} onClose={close} onClick={(event) => event.target === dialog.current && close()}>
      <div class="sheet">
        <header><h2 id="explained">{t("explained")}</h2><button type="button" class="quiet" onClick={close}>{t("close")}</button></header>
        <Answered asked={asked}>{(explained) => <Body explained={explained} />}</Answered>
      </div>
    </dialog>
  );
}

function Body({ explained }: { explained: Explained }) {
  const { t, tongue, f } = useSpeech();
  const spans = explained.brands.flatMap((brand) => brand.spans).sort((a, b) => a[0] - b[0]);
  return (
    <>
      {explained.title && <h3><bdi>{explained.title}</bdi></h3>}
      <p class="quote" tabIndex={0}><Marked text={explained.text} spans={spans} language={explained.language} /></p>
      <Score sentiment={explained.sentiment} />
      <dl>
        <dt>{t("model")}</dt><dd class="mono">{explained.sentiment_model.join(" · ")}</dd>
        <dt>{t("detector")}</dt><dd>{tongue(explained.language)} {f.percent(explained.language_confidence)} <span class="mono faint">{explained.language_model.join(" · ")}</span></dd>
      </dl>
      {explained.brands.map((brand) => (
        <section>
          <h3><bdi>{brand.brand}</bdi>{brand.owned && <span class="faint"> · {t("ownAccount")}</span>}</h3>
          <Score sentiment={brand.sentiment} />
          <dl>
            {brand.terms.length > 0 && <><dt>{t("matched")}</dt><dd>{brand.terms.map((term) => <code>{term}</code>)}</dd></>}
            {brand.target !== explained.text && <><dt>{t("target")}</dt><dd><bdi>{brand.target}</bdi></dd></>}
            <dt>{t("version")}</dt><dd class="mono">{brand.version}</dd>
          </dl>
        </section>
      ))}
      <h3>{t("rawPosition")}</h3>
      <dl>
        <dt>{t("rawPosition")}</dt><dd class="mono">{t("position", String(explained.raw_partition), f.whole(explained.raw_offset))}</dd>
        <dt>{t("nativeId")}</dt><dd class="mono"><bdi>{explained.source}</bdi> · <bdi>{explained.native_id}</bdi></dd>
        {explained.author && <><dt>{t("author")}</dt><dd class="mono"><bdi>{explained.author}</bdi></dd></>}
        <dt>{t("observed")}</dt><dd>{f.moment(explained.observed_at)}</dd>
        <dt>{t("enriched")}</dt><dd>{f.moment(explained.enriched_at)}</dd>
        <dt>{t("stored")}</dt><dd>{f.moment(explained.stored_at)}</dd>
      </dl>
      {explained.url && <p><a href={explained.url} target="_blank" rel="noopener noreferrer nofollow">{t("open")} ↗</a></p>}
    </>
  );
}

function Score({ sentiment }: { sentiment: Sentiment }) {
  const { t, f } = useSpeech();
  return (
    <div class="score">
      <SentimentChip sentiment={sentiment} />
      <Division negative={Math.round(sentiment.negative * 100)} neutral={Math.round(sentiment.neutral * 100)} positive={Math.round(sentiment.positive * 100)} />
      <span class="faint">{(["negative", "neutral", "positive"] as const).map((one) => `${t(one)} ${f.percent(sentiment[one])}`).join(" · ")}</span>
    </div>
  );
}
