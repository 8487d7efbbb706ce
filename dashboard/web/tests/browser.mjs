// Chromium, the picture of a page, and what axe says of it.

import assert from "node:assert/strict";
import { mkdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { chromium } from "playwright-core";

const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const PICTURES = process.env.PICTURES ?? "../../target/pages";

export const launch = () => chromium.launch({
  executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
  // Chromium's own sandbox needs rights that root in a container lacks; all it opens is ours.
  args: ["--no-sandbox"],
});

/** A page that fails the test on any error of a script or of the content security policy. */
export async function open(browser, { width = 1440, scheme = "light", locale = "en-GB" } = {}) {
  const context = await browser.newContext({ viewport: { width, height: 900 }, colorScheme: scheme, locale, reducedMotion: "reduce" });
  const page = await context.newPage();
  const errors = [];
  page.on("pageerror", (error) => errors.push(error.message));
  page.on("console", (line) => {
    if (line.type() === "error" && !line.text().includes("Failed to load resource")) errors.push(line.text());
  });
  page.on("request", (request) => {
    if (!new URL(request.url()).hostname.startsWith("127.")) errors.push(`asked ${request.url()}`);
  });
  return { page, errors, close: () => context.close() };
}

/** Nothing is wider than the window, axe finds nothing serious, and the picture is kept. */
export async function inspect(page, name, fullPage = true) {
  const wider = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
  assert.ok(wider <= 0, `${name}: ${wider} px wider than the window`);
  // The policy bars foreign scripts, and so axe; a driver may still evaluate.
  await page.evaluate(axe);
  const { violations } = await page.evaluate(() => globalThis.axe.run(document, { resultTypes: ["violations"] }));
  const serious = violations.filter(({ impact }) => impact === "serious" || impact === "critical");
  assert.deepEqual(serious.map(({ id, nodes }) => `${name}: ${id}: ${nodes.slice(0, 3).map((node) => node.html.slice(0, 160)).join(" | ")}`), []);
  mkdirSync(PICTURES, { recursive: true });
  await page.screenshot({ path: `${PICTURES}/${name}.png`, fullPage });
}
