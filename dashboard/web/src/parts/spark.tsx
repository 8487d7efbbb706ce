import { useSpeech } from "../words";

const WIDTH = 240;
const HEIGHT = 44;

/** Volume as bars, the newest to the right. Numbers are beside it, so the ear is told the peak alone. */
export function Spark({ points }: { points: { mentions: number }[] }) {
  const { t, f } = useSpeech();
  const most = Math.max(1, ...points.map((point) => point.mentions));
  const width = WIDTH / Math.max(1, points.length);
  return (
    <svg class="spark" viewBox={`0 0 ${WIDTH} ${HEIGHT}`} preserveAspectRatio="none" role="img" aria-label={`${t("volume")}, max. ${f.whole(most)}`}>
      {points.map((point, at) => {
        const height = point.mentions === 0 ? 1 : Math.max(2.5, (point.mentions / most) * (HEIGHT - 2));
        return <rect class={point.mentions === 0 ? "none" : undefined} x={at * width + width * 0.12} width={width * 0.76} y={HEIGHT - height} height={height} />;
      })}
    </svg>
  );
}
