// Numbers and times as the reader's language writes them.

import type { Language } from "./words";

const locale = (language: Language) => (language === "de" ? "de-DE" : "en-GB");

export function formats(language: Language) {
  const of = locale(language);
  const whole = new Intl.NumberFormat(of);
  const short = new Intl.NumberFormat(of, { notation: "compact", maximumFractionDigits: 1 });
  const percent = new Intl.NumberFormat(of, { style: "percent", maximumFractionDigits: 0 });
  const signedPercent = new Intl.NumberFormat(of, { style: "percent", maximumFractionDigits: 0, signDisplay: "exceptZero" });
  const signed = new Intl.NumberFormat(of, { minimumFractionDigits: 2, maximumFractionDigits: 2, signDisplay: "exceptZero" });
  const decimal = new Intl.NumberFormat(of, { maximumFractionDigits: 1 });
  const weekday = new Intl.DateTimeFormat(of, { weekday: "short", timeZone: "UTC" });
  const moment = new Intl.DateTimeFormat(of, { day: "numeric", month: "short", year: "numeric", hour: "2-digit", minute: "2-digit" });
  const day = new Intl.DateTimeFormat(of, { day: "numeric", month: "short", year: "numeric" });
  const unit = (name: "second" | "minute" | "hour" | "day", digits = 0) =>
    new Intl.NumberFormat(of, { style: "unit", unit: name, unitDisplay: name === "day" ? "long" : "short", minimumFractionDigits: digits, maximumFractionDigits: digits });
  // A true minus sign is as wide as the plus, so that columns of numbers align.
  const minus = (text: string) => text.replace("-", "−");
  return {
    whole: (n: number) => whole.format(n),
    short: (n: number) => short.format(n),
    percent: (n: number) => percent.format(n),
    change: (n: number) => minus(signedPercent.format(n)),
    net: (n: number) => minus(signed.format(n)),
    decimal: (n: number) => decimal.format(n),
    /** 1 Monday to 7 Sunday; the first of January 2024 was a Monday. */
    weekday: (day: number) => weekday.format(Date.UTC(2024, 0, day)),
    moment: (time: string) => moment.format(new Date(time)),
    day: (time: string | number) => day.format(new Date(time)),
    seconds: (n: number) => (n < 10 ? unit("second", 1).format(n) : n < 90 ? unit("second").format(n) : n < 5400 ? unit("minute").format(n / 60) : n < 129_600 ? unit("hour").format(n / 3600) : unit("day").format(n / 86_400)),
  };
}

export type Formats = ReturnType<typeof formats>;
