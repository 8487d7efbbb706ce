import type { ComponentChildren } from "preact";
import type { Failed } from "../api";
import { useSpeech } from "../words";

/** Says that there is nothing, and what helps. */
export const Notice = ({ title, children }: { title: string; children?: ComponentChildren }) => (
  <div class="notice">
    <p class="notice-title">{title}</p>
    {children && <p>{children}</p>}
  </div>
);

export const Loading = () => <p class="loading" role="status">{useSpeech().t("loading")}</p>;

/** Says that the API gave no answer; where it is passing, the page goes on trying. */
export function Trouble({ failure }: { failure: Failed }) {
  const { t } = useSpeech();
  const told = failure.code === "store_too_slow" ? t("storeSlow") : failure.passing ? t("storeDown") : `${t("failed")}: ${failure.message}`;
  return <div class="trouble" role="alert">{told}</div>;
}

/** An answer, or why there is none. What was shown stays while the store is away. */
export function Answered<T>({ asked, children }: { asked: { answer: T | undefined; failure: Failed | undefined }; children: (answer: T) => ComponentChildren }) {
  return (
    <>
      {asked.failure && <Trouble failure={asked.failure} />}
      {asked.answer !== undefined ? children(asked.answer) : !asked.failure && <Loading />}
    </>
  );
}
