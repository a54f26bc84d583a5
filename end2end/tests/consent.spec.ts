// Where the app is not trusted, the provider asks the person once.

import { aisha, choose, ngozi } from "../support/people.ts";
import { expect, test } from "../support/test.ts";

// The consents of one test would answer the questions of another.
test.describe.configure({ mode: "serial" });
test.beforeEach(async ({ request, world }) => {
  const path = world.name === "sandbox" ? "/sandbox/api/clear-consents" : "/control/forget-consents";
  expect((await request.post(world.provider + path)).ok()).toBe(true);
});

test("consent is asked for once, and then sign-in is silent", async ({ page, world, trail, context }) => {
  await page.goto(`${world.provider}/sign-in`);
  await page.getByRole("button", { name: aisha.name }).click();
  await page.waitForLoadState("load");
  await page.goto("/");
  // Without consent a silent attempt ends in the public page.
  await expect(page.getByRole("link", { name: "Sign in" }).first()).toBeVisible();

  await page.getByRole("link", { name: "Sign in" }).first().click();
  await page.waitForURL(`${world.provider}/consent**`);
  await page.getByRole("button", { name: "Allow" }).click();
  await expect(page).toHaveURL(`${world.app}/`);
  await expect(page.getByRole("heading", { level: 1 })).toContainText(aisha.given);

  // Another visit, with nothing of ours in the browser any more.
  await context.clearCookies({ domain: "localhost" });
  trail.shown.length = 0;
  await page.goto("/");
  await expect(page.getByRole("heading", { level: 1 })).toContainText(aisha.given);
  expect(trail.shownFromProvider()).toEqual([]);
});

test("who denies consent gets a page that says so", async ({ page, world, meant }) => {
  for (const status of [400, 401, 403]) meant.add(status);
  await page.goto("/dashboard");
  await page.waitForURL(`${world.provider}/sign-in**`);
  await page.getByRole("button", { name: ngozi.name }).click();
  await page.waitForURL(`${world.provider}/consent**`);
  await page.getByRole("button", { name: "Deny" }).click();

  await expect(page.locator("[data-reason]")).toHaveText(/^Reason code: [a-z0-9_]+$/);
  await expect(page.getByText(ngozi.name)).toHaveCount(0);
  await expect(page.getByText("User denied access")).toHaveCount(0);
});

test("a person allowed here signs in through a protected page", async ({ page, world }) => {
  await page.goto("/dashboard");
  await choose(page, world, ngozi);
  await expect(page).toHaveURL(`${world.app}/dashboard`);
  await expect(page.getByRole("heading", { level: 1 })).toContainText(ngozi.given);
});
