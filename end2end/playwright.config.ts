import { defineConfig, devices, type Project } from "@playwright/test";
import type { Options } from "./support/test.ts";

const desktop = { viewport: { width: 1280, height: 800 } };
const phone = devices["Pixel 7"];

// The same journeys at both providers, with and without scripts, on both kinds of screen.
const journeys: Project<Options>[] = (["sandbox", "better-auth"] as const).flatMap((worldName) =>
  [true, false].flatMap((javaScriptEnabled) =>
    [desktop, phone].map((screen) => ({
      name: [worldName, screen === phone ? "phone" : "desktop", javaScriptEnabled ? "scripts" : "no scripts"].join(", "),
      testMatch: "journeys.spec.ts",
      use: { ...screen, worldName, javaScriptEnabled },
    })),
  ),
);

// What happens to somebody whose access changes while they are here.
const access: Project<Options>[] = (["sandbox", "sandbox gen2", "better-auth"] as const).flatMap((worldName) =>
  [true, false].map((javaScriptEnabled) => ({
    name: [worldName, "access", javaScriptEnabled ? "scripts" : "no scripts"].join(", "),
    testMatch: javaScriptEnabled ? ["access.spec.ts", "live.spec.ts"] : "access.spec.ts",
    use: { ...desktop, worldName, javaScriptEnabled },
  })),
);

export default defineConfig<Options>({
  testDir: "tests",
  outputDir: "test-results",
  globalSetup: "./support/global-setup.ts",
  // One at a time: some tests count what reaches a provider, and the servers need the other core.
  workers: 1,
  // A journey that only works the second time does not work.
  retries: 0,
  forbidOnly: true,
  timeout: 30_000,
  expect: { timeout: 7_000 },
  reporter: [["list"]],
  use: {
    actionTimeout: 10_000,
    navigationTimeout: 10_000,
    trace: "retain-on-failure",
    screenshot: "only-on-failure",
    launchOptions: { executablePath: process.env.CHROMIUM_PATH ?? "/usr/bin/chromium" },
  },
  projects: [
    ...journeys,
    ...access,
    { name: "sandbox consent, desktop, scripts", testMatch: "consent.spec.ts", use: { ...desktop } },
    { name: "better-auth consent, desktop, scripts", testMatch: "consent.spec.ts", use: { ...desktop, worldName: "consent" } },
    {
      name: "better-auth consent, phone, no scripts",
      testMatch: "consent.spec.ts",
      use: { ...phone, worldName: "consent", javaScriptEnabled: false },
    },
    { name: "pages, desktop", testMatch: "pages.spec.ts", use: { ...desktop } },
    { name: "pages, phone", testMatch: "pages.spec.ts", use: { ...phone } },
    { name: "weight", testMatch: "weight.spec.ts", use: { ...desktop } },
  ],
});
