// What a phone on mobile data has to load. The files are those of a release build.

import { brotliCompressSync, constants } from "node:zlib";
import { aisha, signInAtProvider } from "../support/people.ts";
import { expect, test } from "../support/test.ts";

const KIB = 1024;
/** As the site's files are compressed when they are built. */
const best = { params: { [constants.BROTLI_PARAM_QUALITY]: 11 } };
/** As pages are compressed while they are sent. */
const quick = { params: { [constants.BROTLI_PARAM_QUALITY]: 4 } };

test("the dashboard is small and comes from us alone", async ({ page, world }, testInfo) => {
  await signInAtProvider(page, world, aisha);
  const loaded: { url: URL; type: string; body: Promise<Buffer> }[] = [];
  const foreign: string[] = [];
  // Until it is quiet: an answer of this first visit that comes late would be counted below.
  await page.goto("/dashboard", { waitUntil: "networkidle" });

  page.on("request", (request) => {
    const url = new URL(request.url());
    // A person's own picture is where Campus One keeps it.
    const picture = request.resourceType() === "image" && url.origin === world.provider;
    if (url.protocol !== "data:" && url.origin !== world.app && !picture) foreign.push(url.href);
  });
  page.on("response", (response) => {
    const url = new URL(response.url());
    // The stream of news weighs what it says, and has no end.
    const stream = response.request().resourceType() === "eventsource";
    if (url.protocol !== "data:" && !stream) loaded.push({ url, type: response.request().resourceType(), body: response.body() });
  });
  const client = await page.context().newCDPSession(page);
  await client.send("Network.enable");
  await client.send("Network.setCacheDisabled", { cacheDisabled: true });
  await page.goto("/dashboard", { waitUntil: "networkidle" });

  const weights = await Promise.all(
    loaded.map(async ({ url, type, body }) => ({
      path: url.pathname,
      type,
      bytes: brotliCompressSync(await body, type === "document" ? quick : best).length,
    })),
  );
  const table = weights.map((w) => `${String(w.bytes).padStart(8)} ${w.type.padEnd(10)} ${w.path}`).join("\n");
  await testInfo.attach("weights", { body: table, contentType: "text/plain" });
  const sum = (wanted: (type: string) => boolean) =>
    weights.filter((w) => wanted(w.type)).reduce((total, w) => total + w.bytes, 0);

  expect(foreign, "requests to others").toEqual([]);
  expect(weights.filter((w) => w.type === "document")).toHaveLength(1);
  expect(sum((type) => type === "document" || type === "stylesheet"), `HTML and CSS\n${table}`).toBeLessThanOrEqual(14 * KIB);
  expect(sum(() => true), `everything\n${table}`).toBeLessThanOrEqual(130 * KIB);
});

test("files of the site may be kept for a year, pages of a person not at all", async ({ page, world }) => {
  await signInAtProvider(page, world, aisha);
  const caching = new Map<string, string>();
  page.on("response", (response) => {
    const url = new URL(response.url());
    if (url.origin === world.app) caching.set(url.pathname, response.headers()["cache-control"] ?? "");
  });
  await page.goto("/dashboard", { waitUntil: "networkidle" });

  expect(caching.get("/dashboard")).toContain("no-store");
  const files = [...caching].filter(([path]) => path.startsWith("/pkg/"));
  expect(files.length).toBeGreaterThan(0);
  for (const [path, value] of files) expect(value, path).toContain("immutable");
});
