// Counts stacked over time and the net sentiment with its interval below, on one axis of time.

import { useEffect, useRef } from "preact/hooks";
import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";
import type { BrandPage } from "../api";
import { useSpeech } from "../words";

const seconds = (time: string) => Date.parse(time) / 1000;
const colour = (name: string) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

interface Props { course: BrandPage; zoom: (from: number, to: number) => void; pick: (at: number) => void }

export function Charts({ course, zoom, pick }: Props) {
  const { t, language } = useSpeech();
  const place = useRef<HTMLDivElement>(null);
  useEffect(() => {
    const holder = place.current;
    if (!holder) return;
    let plots: uPlot[] = [];
    const draw = () => {
      plots.forEach((plot) => plot.destroy());
      plots = [volume(holder, course, language, t, zoom, pick), net(holder, course, language, t, zoom, pick)];
    };
    draw();
    const resized = new ResizeObserver(() => plots.forEach((plot) => plot.setSize({ width: holder.clientWidth, height: plot.height })));
    resized.observe(holder);
    addEventListener("theme", later);
    function later() {
      requestAnimationFrame(draw);
    }
    return () => {
      resized.disconnect();
      removeEventListener("theme", later);
      plots.forEach((plot) => plot.destroy());
    };
  }, [course, language]);
  return <div ref={place} class="charts" />;
}

type Say = ReturnType<typeof useSpeech>["t"];

function volume(holder: HTMLElement, course: BrandPage, language: string, t: Say, zoom: Props["zoom"], pick: Props["pick"]) {
  const x = course.points.map((point) => seconds(point.at));
  // Drawn from back to front: each bar covers the lower part of the one behind it.
  const sums = [
    course.points.map((p) => p.negative + p.neutral + p.positive),
    course.points.map((p) => p.negative + p.neutral),
    course.points.map((p) => p.negative),
  ];
  const own = [(at: number) => course.points[at]?.positive, (at: number) => course.points[at]?.neutral, (at: number) => course.points[at]?.negative];
  const bars = uPlot.paths.bars?.({ size: [0.82, 26], align: 1, gap: 0 });
  const part = (label: string, fill: string, nth: number): uPlot.Series => ({
    label, fill: colour(fill), stroke: colour(fill), width: 0, points: { show: false }, ...(bars ? { paths: bars } : {}),
    value: (_plot, _value, _series, at) => (at == null ? "–" : String(own[nth]?.(at) ?? "–")),
  });
  return new uPlot(
    {
      ...base(holder, 230, course, language, zoom, pick),
      scales: { x: { time: true }, y: { range: (_plot, _low, high) => [0, Math.max(4, high * 1.1)] } },
      series: [when(language, t), part(t("positive"), "--positive", 0), part(t("neutral"), "--neutral-fill", 1), part(t("negative"), "--negative", 2)],
    },
    [x, ...sums] as uPlot.AlignedData,
    holder,
  );
}

function net(holder: HTMLElement, course: BrandPage, language: string, t: Say, zoom: Props["zoom"], pick: Props["pick"]) {
  const x = course.points.map((point) => seconds(point.at));
  const of = (which: "value" | "low" | "high") => course.points.map((point) => point.net?.[which] ?? null);
  const two = (_plot: uPlot, value: number | null) => (value == null ? "–" : value.toLocaleString(language, { minimumFractionDigits: 2, maximumFractionDigits: 2, signDisplay: "exceptZero" }));
  const edge = (label: string): uPlot.Series => ({ label, width: 0, points: { show: false }, value: two, spanGaps: true });
  return new uPlot(
    {
      ...base(holder, 190, course, language, zoom, pick),
      title: t("netOverTime"),
      scales: { x: { time: true }, y: { range: [-1, 1] } },
      bands: [{ series: [1, 2], fill: colour("--accent-soft") }],
      series: [
        when(language, t),
        // The line after its interval, which would cover it otherwise.
        edge(t("upper")),
        edge(t("lower")),
        { label: t("net"), stroke: colour("--accent"), width: 2, value: two, spanGaps: true, points: { show: true, size: 5 } },
      ],
    },
    [x, of("high"), of("low"), of("value")] as uPlot.AlignedData,
    holder,
  );
}

const when = (language: string, t: Say): uPlot.Series => ({
  label: t("time"),
  value: (_plot, value) => (value == null ? "" : new Date(value * 1000).toLocaleString(language, { day: "numeric", month: "short", hour: "2-digit", minute: "2-digit" })),
});

function base(holder: HTMLElement, height: number, course: BrandPage, language: string, zoom: Props["zoom"], pick: Props["pick"]): Omit<uPlot.Options, "series"> {
  const ink = colour("--soft");
  const axis = { stroke: ink, grid: { stroke: colour("--line"), width: 1 }, ticks: { show: false }, font: "12px system-ui, sans-serif" };
  const whole = new Intl.NumberFormat(language);
  return {
    width: holder.clientWidth,
    height,
    padding: [8, 8, 0, 0],
    tzDate: (stamp) => new Date(stamp * 1000),
    cursor: { sync: { key: "course" }, drag: { x: true, y: false, setScale: false }, points: { size: 6 } },
    axes: [
      { ...axis, grid: { show: false }, values: (_plot, splits) => ticks(splits, language) },
      { ...axis, size: 46, values: (_plot, splits) => splits.map((value) => whole.format(value)) },
    ],
    hooks: {
      drawClear: [(plot) => backdrop(plot, course)],
      setSelect: [
        (plot) => {
          if (plot.select.width < 6) return;
          const from = plot.posToVal(plot.select.left, "x");
          const to = plot.posToVal(plot.select.left + plot.select.width, "x");
          plot.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
          if (to - from >= 120) zoom(from, to);
        },
      ],
      ready: [
        (plot) => {
          plot.over.addEventListener("click", () => {
            const at = plot.cursor.idx;
            const time = at == null ? undefined : plot.data[0][at];
            if (time !== undefined && plot.select.width === 0) pick(time);
          });
        },
      ],
    },
  };
}

/** Days below each other where a day begins, hours between. */
function ticks(splits: number[], language: string): string[] {
  const daily = splits.length < 2 || (splits[1] ?? 0) - (splits[0] ?? 0) >= 86_400;
  return splits.map((split) => {
    const at = new Date(split * 1000);
    const midnight = at.getHours() === 0 && at.getMinutes() === 0;
    return daily || midnight ? at.toLocaleDateString(language, { day: "numeric", month: "short" }) : at.toLocaleTimeString(language, { hour: "2-digit", minute: "2-digit" });
  });
}

/** Behind everything: incidents in the colour of negative, gaps of sources hatched. */
function backdrop(plot: uPlot, course: BrandPage): void {
  const { ctx, bbox } = plot;
  const span = (from: string, to: string, paint: (left: number, width: number) => void) => {
    const clamp = (time: string) => Math.min(Math.max(plot.valToPos(seconds(time), "x", true), bbox.left), bbox.left + bbox.width);
    const [left, right] = [clamp(from), clamp(to)];
    if (right > left) paint(left, Math.max(2, right - left));
  };
  ctx.save();
  for (const incident of course.incidents) {
    span(incident.started_at, incident.closed_at ?? course.to, (left, width) => {
      ctx.fillStyle = colour("--negative-soft");
      ctx.fillRect(left, bbox.top, width, bbox.height);
    });
  }
  ctx.strokeStyle = colour("--line-strong");
  ctx.lineWidth = 1;
  for (const gap of course.gaps) {
    span(gap.from, gap.to, (left, width) => {
      ctx.save();
      ctx.beginPath();
      ctx.rect(left, bbox.top, width, bbox.height);
      ctx.clip();
      ctx.beginPath();
      for (let x = left - bbox.height; x < left + width; x += 10) {
        ctx.moveTo(x, bbox.top + bbox.height);
        ctx.lineTo(x + bbox.height, bbox.top);
      }
      ctx.stroke();
      ctx.restore();
    });
  }
  ctx.restore();
}
