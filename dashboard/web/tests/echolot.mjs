// Runs the real binary on real engines, in a folder of its own, and speaks to it.

import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";

const PATIENCE = 120_000;

/** Starts `echolot` and waits until it says all of `wanted`; what it says first matches each. */
function start(args, env, wanted, stream) {
  const binary = process.env.ECHOLOT;
  if (!binary) throw new Error("ECHOLOT must name the binary; `make pages` builds it");
  const child = spawn(binary, args, { env: { ...process.env, ...env }, stdio: ["ignore", "pipe", "pipe"] });
  const said = [];
  const found = new Map();
  const ready = new Promise((resolve, reject) => {
    const late = setTimeout(() => reject(new Error(`not ready in time:\n${said.join("\n")}`)), PATIENCE);
    child.once("exit", (code) => {
      clearTimeout(late);
      reject(new Error(`ended with ${code}:\n${said.join("\n")}`));
    });
    for (const name of ["stdout", "stderr"]) {
      createInterface({ input: child[name] }).on("line", (line) => {
        if (said.push(line) > 200) said.shift();
        if (name !== stream) return;
        for (const [key, pattern] of Object.entries(wanted)) {
          const match = pattern.exec(line);
          if (match && !found.has(key)) found.set(key, match[1] ?? match[0]);
        }
        if (found.size === Object.keys(wanted).length) {
          clearTimeout(late);
          resolve(Object.fromEntries(found));
        }
      });
    }
  });
  const ended = new Promise((resolve) => child.once("exit", resolve));
  const stop = async () => {
    if (child.exitCode === null) child.kill("SIGINT");
    await ended;
  };
  return ready.then((told) => ({ ...told, stop }), async (error) => {
    await stop();
    throw error;
  });
}

const ANYWHERE = {
  NO_COLOR: "1",
  ECHOLOT__TELEMETRY__LISTEN: "127.0.0.1:0",
  ECHOLOT__INGEST__PUSH__LISTEN: "127.0.0.1:0",
  ECHOLOT__DASHBOARD__LISTEN: "127.0.0.1:0",
};

/** `echolot up`: its address, a way to push mentions and one to write into the store as the application. */
export async function up(...args) {
  const home = mkdtempSync(join(tmpdir(), "echolot-pages-"));
  try {
    const running = await start(["up", "--no-live", ...args], { ...ANYWHERE, ECHOLOT__DATA__DIR: home }, {
      base: /^dashboard (http:\S+)/, push: /^push\s+(http:\S+)/, serving: /^serving until/,
    }, "stdout");
    const engines = JSON.parse(readFileSync(join(home, "endpoints.json"), "utf8"));
    const password = (path) => readFileSync(path.replace("file:", ""), "utf8").trim();
    return {
      base: running.base,
      engines,
      home,
      async push(mention) {
        const response = await fetch(`${running.push}?source=push`, { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(mention) });
        if (response.status !== 202) throw new Error(`push: ${response.status} ${await response.text()}`);
      },
      async sql(text) {
        const login = { "X-ClickHouse-User": engines.clickhouse_user, "X-ClickHouse-Key": password(engines.clickhouse_password) };
        const response = await fetch(engines.clickhouse_url, { method: "POST", headers: login, body: text });
        if (!response.ok) throw new Error(`${response.status} ${(await response.text()).slice(0, 500)}`);
        return response.text();
      },
      async stop() {
        await running.stop();
        rmSync(home, { recursive: true, force: true });
      },
    };
  } catch (error) {
    rmSync(home, { recursive: true, force: true });
    throw error;
  }
}

/** The role `dashboard` in a process of its own, on the store behind `url`. */
export function dashboard(engines, home, url) {
  return start(["dashboard"], {
    ...ANYWHERE,
    ECHOLOT__DATA__DIR: home,
    ECHOLOT__KAFKA__BROKERS: engines.kafka_brokers,
    ECHOLOT__CLICKHOUSE__URL: url,
    ECHOLOT__CLICKHOUSE__USER: engines.clickhouse_user,
    ECHOLOT__CLICKHOUSE__PASSWORD: engines.clickhouse_password,
    ECHOLOT__DASHBOARD__USER: engines.analyst_user,
    ECHOLOT__DASHBOARD__PASSWORD: engines.analyst_password,
  }, { base: /pages=(http:\S+)/ }, "stderr");
}

/** Asks until `good`, for at most a minute. */
export async function until(what, good) {
  const end = Date.now() + 60_000;
  while (Date.now() < end) {
    if (await good()) return;
    await new Promise((again) => setTimeout(again, 300));
  }
  throw new Error(`${what}: not within a minute`);
}
