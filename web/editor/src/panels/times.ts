import { language } from "../text/text";

const STEPS: [Intl.RelativeTimeFormatUnit, number][] = [
  ["second", 60],
  ["minute", 60],
  ["hour", 24],
  ["day", 7],
];

/** How long ago something was, as people say it; a date where that is more than a week. Times are Unix seconds. */
export function agoText(then: number, now: number = Date.now() / 1000): string {
  let amount = then - now;
  const words = new Intl.RelativeTimeFormat(language(), { numeric: "auto", style: "short" });
  for (const [unit, size] of STEPS) {
    if (Math.abs(amount) < size) return words.format(Math.round(amount), unit);
    amount /= size;
  }
  return new Date(then * 1000).toLocaleDateString(language(), { dateStyle: "medium" });
}

/** The day of a time: "today", "yesterday", or its date. */
export function dayText(then: number, now: number = Date.now() / 1000): string {
  const days = Math.round((midnight(then) - midnight(now)) / 86400);
  if (days > -2 && days < 1) return new Intl.RelativeTimeFormat(language(), { numeric: "auto" }).format(days, "day");
  const sameYear = new Date(then * 1000).getFullYear() === new Date(now * 1000).getFullYear();
  const form: Intl.DateTimeFormatOptions = { weekday: "short", day: "numeric", month: "long" };
  return new Date(then * 1000).toLocaleDateString(language(), sameYear ? form : { ...form, year: "numeric" });
}

/** Day and time, short, to the second. */
export function momentText(then: number): string {
  const form: Intl.DateTimeFormatOptions = {
    day: "numeric",
    month: "short",
    hour: "2-digit",
    minute: "2-digit",
    second: "2-digit",
  };
  return new Date(then * 1000).toLocaleString(language(), { ...form, hourCycle: "h23" });
}

/** Date and time in full, for tooltips. */
export function timeText(then: number): string {
  return new Date(then * 1000).toLocaleString(language(), { dateStyle: "medium", timeStyle: "medium" });
}

/** A length of time: "0.4 s", "12 s", "3 min 05 s". */
export function lengthText(seconds: number): string {
  if (seconds < 10) return `${seconds.toFixed(seconds < 0.1 ? 2 : 1)} s`;
  if (seconds < 60) return `${Math.round(seconds)} s`;
  const whole = Math.round(seconds);
  return `${Math.floor(whole / 60)} min ${String(whole % 60).padStart(2, "0")} s`;
}

function midnight(seconds: number): number {
  return new Date(seconds * 1000).setHours(0, 0, 0, 0) / 1000;
}
