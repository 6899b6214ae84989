// The usage of a month, day by day: what was used, what the plan includes, and where the month is heading.
import { useEffect, useRef } from "preact/hooks";
import UPlot from "uplot";

import { date, minutes, number } from "../text.js";
import { html } from "./html.js";

const HEIGHT = 220;

/** @param {string} name */
const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

/** Days since 1970, for a date at midnight UTC. @param {string} text */
const seconds = (text) => Date.parse(`${text}T00:00:00Z`) / 1000;

/**
 * The rows of the chart: one for each day of the month, null where a line does not go.
 * @param {any} usage
 * @param {any} projection
 */
export function rowsOf(usage, projection) {
  const [first, end] = [seconds(usage.period.startsOn), seconds(usage.period.endsBefore)];
  const days = Array.from({ length: Math.round((end - first) / 86_400) }, (_, place) => first + place * 86_400);
  const used = new Map(usage.days.map((/** @type {any} */ each) => [seconds(each.on), each.cumulativeLive.seconds / 60]));
  const known = usage.days.at(-1);
  const today = known ? seconds(known.on) : null;
  const last = /** @type {number} */ (days.at(-1));
  const live = days.map((day) => used.get(day) ?? null);
  const ahead = days.map((day) => {
    if (!projection?.isMade || today === null || day < today || last === today) return null;
    const from = known.cumulativeLive.seconds / 60;
    return from + ((projection.live.seconds / 60 - from) * (day - today)) / (last - today);
  });
  const allowance = days.map(() => usage.allowance.seconds / 60);
  const limit = usage.costEffectiveToMinutes;
  return [days, live, ahead, allowance, limit ? days.map(() => limit) : days.map(() => null)];
}

/** @param {{ usage: any, projection: any }} props */
export function UsageChart({ usage, projection }) {
  const place = useRef(/** @type {HTMLDivElement | null} */ (null));
  const rows = rowsOf(usage, projection);
  useEffect(() => {
    const element = place.current;
    if (!element) return undefined;
    const draw = () => {
      element.replaceChildren();
      const [text, grid] = [colour("--quiet"), colour("--border")];
      const axis = { stroke: text, grid: { stroke: grid, width: 1 }, ticks: { stroke: grid }, font: "12px system-ui" };
      const chart = new UPlot(
        {
          width: Math.max(element.clientWidth, 200),
          height: HEIGHT,
          tzDate: (stamp) => UPlot.tzDate(new Date(stamp * 1000), "UTC"),
          legend: { show: false },
          cursor: { show: false },
          scales: { y: { range: (_, __, highest) => [0, Math.max(highest, 1) * 1.08] } },
          axes: [{ ...axis, values: (_, stamps) => stamps.map((stamp) => String(new Date(stamp * 1000).getUTCDate())) }, { ...axis, size: 54 }],
          series: [
            {},
            { stroke: colour("--accent"), width: 2, fill: colour("--accent-soft"), points: { show: false } },
            { stroke: colour("--accent"), width: 2, dash: [6, 4], points: { show: false } },
            { stroke: colour("--good"), width: 1.5, points: { show: false } },
            { stroke: colour("--warn"), width: 1.5, dash: [2, 3], points: { show: false } },
          ],
        },
        /** @type {any} */ (rows),
        element,
      );
      return chart;
    };
    let chart = draw();
    const redraw = () => {
      chart.destroy();
      chart = draw();
    };
    const sizes = new ResizeObserver(() => chart.setSize({ width: Math.max(element.clientWidth, 200), height: HEIGHT }));
    sizes.observe(element);
    const scheme = matchMedia("(prefers-color-scheme: dark)");
    scheme.addEventListener("change", redraw);
    document.addEventListener("flex:theme", redraw);
    return () => {
      sizes.disconnect();
      scheme.removeEventListener("change", redraw);
      document.removeEventListener("flex:theme", redraw);
      chart.destroy();
    };
  }, [JSON.stringify(rows)]);
  const heading = projection?.isMade ? `, heading for ${minutes(projection.live)}` : "";
  const about = `Live minutes used so far: ${minutes(usage.live)} of ${minutes(usage.allowance)}${heading}.`;
  return html`
    <figure class="chart">
      <div ref=${place} role="img" aria-label=${about}></div>
      <figcaption>
        <span class="key used">Used</span><span class="key included">Included in the plan</span>
        ${usage.costEffectiveToMinutes && html`<span class="key effective">Cost effective to ${number(usage.costEffectiveToMinutes)} min</span>`}
        ${projection?.isMade && html`<span class="key ahead">Projected</span>`}
      </figcaption>
      <details>
        <summary>The chart as a table</summary>
        <div class="scroll bounded" tabindex="0" role="region" aria-label="Live minutes by day">
          <table>
            <thead><tr><th scope="col">Day</th><th scope="col" class="amount">Used by then</th></tr></thead>
            <tbody>
              ${usage.days.map((/** @type {any} */ each) => html`<tr><td>${date(each.on)}</td><td class="amount">${minutes(each.cumulativeLive)}</td></tr>`)}
            </tbody>
          </table>
        </div>
      </details>
    </figure>
  `;
}
