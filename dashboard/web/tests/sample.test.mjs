// Every page on the sample: both languages, both appearances, a phone and a desk.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { inspect, launch, open } from "./browser.mjs";
import { until, up } from "./echolot.mjs";

const WHY = { terms: [["totalausfall", 9.4], ["rückerstattung", 6.1]], top_mentions: [], sources: [["bluesky", 60]], languages: [["de", 50]], first: null };

let browser, echolot;
before(async () => {
  [browser, echolot] = await Promise.all([launch(), up()]);
  // The sample is of the past, which the detector does not judge: this is what it would tell.
  for (const [step, phase, at] of [[0, "opened", "2026-06-10 16:20:00"], [4294967295, "closed", "2026-06-10 23:00:00"]]) {
    await echolot.sql(`INSERT INTO echolot.incidents (incident, step, brand, kind, phase, severity, at, opened_at, started_at, window_minutes, observed, expected, chance, share, usual_share, authors, peak, why) VALUES ('7d9f5a5e-8f43-5d6c-9d0e-1f6b0c7f3a11', ${step}, 'tramio', 'negative', '${phase}', 'critical', '${at}', '2026-06-10 16:20:00', '2026-06-10 15:20:00', 60, 41, 2.2, 1e-9, 0.62, 0.3, 38, 55, '${JSON.stringify(WHY)}')`);
  }
  await echolot.sql("INSERT INTO echolot.source_gaps (source, from_time, to_time, why, caught_up, at) VALUES ('mastodon', '2026-06-05 02:00:00', '2026-06-05 20:00:00', 'outage', false, now64(3))");
});
after(async () => {
  await browser?.close();
  await echolot?.stop();
});

const PAGES = {
  overview: ["/", "article.card"],
  brand: ["/brand?brand=tramio&period=all", ".charts canvas"],
  mentions: ["/mentions?q=app&brand=tramio", "article.mention"],
  incidents: ["/incidents?period=all", "article.incident"],
  community: ["/community?period=all", "table.heat"],
  health: ["/health", "table"],
};
const LOOKS = [
  { width: 1440, scheme: "light", locale: "de-DE" },
  { width: 1440, scheme: "dark", locale: "en-GB" },
  { width: 380, scheme: "light", locale: "en-GB" },
  { width: 380, scheme: "dark", locale: "de-DE" },
];
const HEADINGS = {
  de: { overview: "Überblick", brand: "Marke tramio", mentions: "Erwähnungen", incidents: "Vorfälle", community: "Community", health: "Betrieb" },
  en: { overview: "Overview", brand: "Brand tramio", mentions: "Mentions", incidents: "Incidents", community: "Community", health: "Health" },
};

for (const look of LOOKS) {
  test(`every page is whole at ${look.width} px, ${look.scheme}, ${look.locale}`, async () => {
    const { page, errors, close } = await open(browser, look);
    for (const [name, [path, whole]] of Object.entries(PAGES)) {
      await page.goto(echolot.base + path);
      await page.waitForSelector(whole);
      const language = look.locale.slice(0, 2);
      assert.equal(await page.getAttribute("html", "lang"), language);
      assert.ok((await page.textContent("h1")).startsWith(HEADINGS[language][name]), name);
      await inspect(page, `${name}-${look.width}-${look.scheme}`);
    }
    assert.deepEqual(errors, []);
    await close();
  });
}

test("cards hold the counts that the store has", async () => {
  const { page, close } = await open(browser);
  await page.goto(`${echolot.base}/?period=all`);
  await page.waitForSelector("article.card");
  const shown = await page.$$eval("article.card", (cards) => cards.map((card) => [card.querySelector("h2").textContent, Number(card.querySelector(".figure").textContent)]));
  const stored = JSON.parse(await echolot.sql("SELECT brand, toUInt32(sum(mentions)) AS n FROM echolot.sentiment_by_day WHERE brand NOT IN ('', '*') AND NOT owned GROUP BY brand ORDER BY n DESC FORMAT JSONCompact")).data;
  assert.deepEqual(shown, stored);
  await close();
});

test("a mention is explained down to model, matched words and raw event, by keyboard alone", async () => {
  const { page, errors, close } = await open(browser);
  await page.goto(`${echolot.base}/mentions?q=tramio&brand=tramio`);
  const explain = page.getByRole("button", { name: "Explain" }).first();
  await explain.focus();
  await page.keyboard.press("Enter");
  const dialog = page.getByRole("dialog");
  await dialog.getByText("mentions.raw, partition").waitFor();
  assert.match(await dialog.textContent(), /Matched by/);
  assert.match((await dialog.locator("mark").first().textContent()).toLowerCase(), /tram/);
  await inspect(page, "explain-1440-light", false);
  await page.keyboard.press("Escape");
  await dialog.waitFor({ state: "detached" });
  assert.deepEqual(errors, []);
  await close();
});

test("the list goes on to its end and shows each mention once", async () => {
  const { page, close } = await open(browser);
  await page.goto(`${echolot.base}/mentions?period=all`);
  await page.waitForSelector("article.mention");
  await until("the end of the list", async () => {
    await page.evaluate(() => scrollTo(0, document.body.scrollHeight));
    return (await page.getByText("End of the list").count()) === 1;
  });
  assert.equal(await page.locator("article.mention").count(), 770);
  await close();
});

test("filters stand in the address and come back with it", async () => {
  const { page, close } = await open(browser);
  await page.goto(`${echolot.base}/mentions?period=all`);
  await page.getByLabel("Sentiment").selectOption("positive");
  await page.getByLabel("Search the text").fill("kaffee");
  await page.waitForURL(/q=kaffee/);
  assert.match(page.url(), /sentiment=positive/);
  await page.waitForSelector("mark");
  const marked = await page.$$eval("article.mention mark", (marks) => marks.map((mark) => mark.textContent.toLowerCase()));
  assert.ok(marked.length > 0 && marked.every((word) => word === "kaffee"), marked.join());
  await page.goBack();
  await page.waitForFunction(() => !location.search.includes("sentiment"));
  assert.equal(await page.getByLabel("Sentiment").inputValue(), "");
  await close();
});

test("the community page tells the questions that the store has, and how long they waited", async () => {
  const { page, errors, close } = await open(browser);
  await page.goto(`${echolot.base}/community?period=all`);
  await page.waitForSelector(".waiting li");
  const [row] = JSON.parse(await echolot.sql("SELECT toUInt32(count()) AS asked, round(100 * countIf(answers > 0) / asked) AS answered, toUInt32(least(50, countIf(answers = 0))) AS shown FROM echolot.response_times FORMAT JSON")).data;
  const [asked, answered] = await page.$$eval(".strip .figure", (all) => all.map((one) => one.textContent));
  assert.deepEqual([Number(asked), answered, await page.locator(".waiting li").count()], [row.asked, `${row.answered}%`, row.shown]);
  const heat = await page.$$eval("table.heat td", (cells) => cells.reduce((sum, cell) => sum + Number(cell.textContent), 0));
  assert.equal(heat, Number(await echolot.sql("SELECT count() FROM echolot.mentions WHERE isNotNull(coalesce(likes, replies, shares))")));
  await page.getByRole("button", { name: "Newest first" }).click();
  await page.waitForURL(/order=newest/);
  await page.getByRole("button", { name: "Explain" }).first().click();
  await page.getByRole("dialog").getByText("mentions.raw, partition").waitFor();
  assert.deepEqual(errors, []);
  await close();
});

test("an answer that is known already is not sent again", async () => {
  const path = `${echolot.base}/api/v1/overview?from=2026-06-01T00:00:00Z&to=2026-06-15T00:00:00Z`;
  const first = await fetch(path);
  const again = await fetch(path, { headers: { "if-none-match": first.headers.get("etag") } });
  assert.equal(again.status, 304);
  assert.match(first.headers.get("content-security-policy"), /default-src 'none'/);
});

test("a wrong parameter is told by its name, never as a failure of the server", async () => {
  const period = "from=2026-06-01T00:00:00Z&to=2026-06-15T00:00:00Z";
  const wrong = ["overview", "overview?from=x&to=y", `mentions?${period}&limit=0`, `mentions?${period}&cursor=%00`, `mentions?${period}&q=${"x".repeat(300)}`, `mentions?${period}&sentiment=angry`, "mentions/none", `brand?${period}`, `questions?${period}&order=x`, `engagement?${period}&zone=Mars/Olympus`];
  for (const path of wrong) {
    const response = await fetch(`${echolot.base}/api/v1/${path}`);
    assert.equal(response.status, 400, path);
  }
  const quotes = encodeURIComponent(`'"\\\n\t{x:String}) OR 1=1 --`);
  const response = await fetch(`${echolot.base}/api/v1/mentions?${period}&q=${quotes}&brand=${quotes}&source=${quotes}`);
  assert.equal(response.status, 200);
  assert.deepEqual((await response.json()).mentions, []);
});
