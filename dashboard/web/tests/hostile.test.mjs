// An empty store, then the first mention, hostile ones, and a store that goes away and comes back.

import assert from "node:assert/strict";
import { createServer, connect } from "node:net";
import { after, before, test } from "node:test";
import { inspect, launch, open } from "./browser.mjs";
import { dashboard, until, up } from "./echolot.mjs";

let browser, echolot;
before(async () => {
  [browser, echolot] = await Promise.all([launch(), up("--no-sample")]);
});
after(async () => {
  await browser?.close();
  await echolot?.stop();
});

test("without any mention every page says so, in both languages", async () => {
  for (const [locale, told] of [["de-DE", /Noch keine|Nichts gefunden|Keine Vorfälle|niemand etwas gefragt/], ["en-GB", /No mentions yet|Nothing found|No incidents|Nobody asked/]]) {
    const { page, errors, close } = await open(browser, { locale, width: 380 });
    for (const [name, path] of Object.entries({ overview: "/", brand: "/brand", mentions: "/mentions", incidents: "/incidents", community: "/community", health: "/health" })) {
      await page.goto(echolot.base + path);
      await page.getByText(told).first().waitFor();
      await inspect(page, `empty-${name}-${locale.slice(0, 2)}`);
    }
    assert.deepEqual(errors, []);
    await close();
  }
});

test("the first mention appears by itself", async () => {
  const { page, close } = await open(browser);
  await page.goto(`${echolot.base}/mentions`);
  await page.getByText("Nothing found").waitFor();
  await echolot.push({ id: "first", text: "Guten Morgen, alles läuft prima hier!", published_at: new Date().toISOString() });
  await page.getByText("alles läuft prima").waitFor({ timeout: 60_000 });
  await close();
});

const HOSTILE = {
  script: "<script>globalThis.hacked = 1</script><img src=x onerror='globalThis.hacked = 1'> ende",
  direction: "\u202Eدائما متأخر\u202D right to left مرحبا",
  long: `${"w".repeat(9_900)} ende`,
  emoji: "👩‍👩‍👧‍👦🏳️‍🌈 ÄÖÜ 𝕏 ende 👍🏽",
  template: "{{7*7}} ${7*7} %00 ' OR 1=1 -- \\ ende",
};

test("hostile texts are shown as the texts they are", async () => {
  const now = Date.now();
  for (const [id, text] of Object.entries(HOSTILE)) {
    await echolot.push({ id, text, url: "https://a.example/1", published_at: new Date(now - 1000).toISOString() });
  }
  const count = async () => Number(await echolot.sql("SELECT count() FROM echolot.mentions"));
  await until("all are stored", async () => (await count()) === 6);
  const { page, errors, close } = await open(browser, { width: 380 });
  await page.goto(`${echolot.base}/mentions`);
  await until("all are shown", async () => (await page.locator("article.mention").count()) === 6);
  const texts = await page.$$eval("article.mention .text", (all) => all.map((one) => one.textContent));
  for (const id of ["script", "direction", "emoji", "template"]) assert.ok(texts.includes(HOSTILE[id]), id);
  assert.equal(await page.evaluate(() => globalThis.hacked), undefined);
  assert.equal(await page.locator("article.mention script, article.mention img").count(), 0);
  await inspect(page, "hostile-380");
  await page.goto(`${echolot.base}/mentions?q=ende`);
  await until("the search finds four", async () => (await page.locator("article.mention").count()) === 4);
  assert.ok((await page.$$eval("mark", (marks) => marks.map((mark) => mark.textContent))).every((word) => word === "ende"));
  assert.deepEqual(errors, []);
  await close();
});

test("requests by a name that is not this machine's are refused", async () => {
  const { hostname, port } = new URL(echolot.base);
  const status = await new Promise((resolve, reject) => {
    const socket = connect(Number(port), hostname, () => socket.write("GET / HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n"));
    socket.once("data", (bytes) => resolve(bytes.toString().split(" ")[1]));
    socket.once("error", reject);
  });
  assert.equal(status, "421");
});

/** A door to the store that can be shut. */
async function door(target) {
  const { hostname, port } = new URL(target);
  const open = new Set();
  let shut = false;
  const server = createServer((socket) => {
    if (shut) return socket.destroy();
    const beyond = connect(Number(port), hostname);
    for (const [one, other] of [[socket, beyond], [beyond, socket]]) {
      open.add(one);
      one.pipe(other);
      one.on("error", () => other.destroy());
      one.on("close", () => open.delete(one));
    }
  });
  await new Promise((ready) => server.listen(0, "127.0.0.1", ready));
  return {
    url: `http://127.0.0.1:${server.address().port}`,
    shut() {
      shut = true;
      for (const socket of open) socket.destroy();
    },
    unlock: () => (shut = false),
    close: () => new Promise((done) => server.close(done)),
  };
}

test("without its store the page says so, and comes back by itself", async () => {
  const way = await door(echolot.engines.clickhouse_url);
  const role = await dashboard(echolot.engines, echolot.home, way.url);
  const { page, close } = await open(browser);
  try {
    await page.goto(role.base);
    await page.waitForSelector(".summary");
    way.shut();
    await page.reload();
    await page.getByText("The store does not answer").waitFor();
    assert.equal((await fetch(`${role.base}/api/v1/choices`)).status, 503);
    await inspect(page, "store-down");
    way.unlock();
    await page.waitForSelector(".summary", { timeout: 30_000 });
    assert.equal(await page.getByText("The store does not answer").count(), 0);
  } finally {
    await close();
    await role.stop();
    way.shut();
    await way.close();
  }
});
