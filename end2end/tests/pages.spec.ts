// Every page: readable by everyone, in light and dark, and on the narrowest phone.

import { AxeBuilder } from "@axe-core/playwright";
import { CALLBACK } from "../support/worlds.ts";
import { aisha, ngozi, signInAtProvider, type Person } from "../support/people.ts";
import { expect, test } from "../support/test.ts";

interface Visit {
  name: string;
  path: string;
  as?: Person;
  status?: number;
  signOut?: boolean;
}

const visits: Visit[] = [
  { name: "home, nobody signed in", path: "/" },
  { name: "home, signed in", path: "/", as: aisha },
  { name: "dashboard of a student", path: "/dashboard", as: aisha },
  { name: "dashboard of a unit admin", path: "/dashboard", as: ngozi },
  { name: "admin, overview", path: "/admin", as: ngozi },
  { name: "reports", path: "/admin/reports", as: ngozi },
  { name: "admin, without the role", path: "/admin", as: aisha, status: 403 },
  { name: "deliveries", path: "/admin/deliveries", as: ngozi },
  { name: "signed out", path: "/dashboard", as: aisha, signOut: true },
  { name: "not found", path: "/no-such-page", status: 404 },
  { name: "not found, signed in", path: "/no-such-page", as: aisha, status: 404 },
  { name: "a sign-in that failed", path: `${CALLBACK}?error=server_error&state=unknown`, status: 409 },
  { name: "an answer that contradicts itself", path: `${CALLBACK}?code=one&code=two&state=three`, status: 400 },
];

const tags = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"];

for (const visit of visits) {
  test(`page: ${visit.name}`, async ({ page, world, meant }) => {
    if (visit.status) meant.add(visit.status);
    if (visit.as) await signInAtProvider(page, world, visit.as);
    const answer = await page.goto(visit.path);
    expect(answer!.status()).toBe(visit.status ?? 200);
    if (visit.signOut) {
      await page.getByRole("button", { name: "Sign out", exact: true }).first().click();
      await page.waitForURL(`${world.app}/auth/signed-out`);
    }
    await expect(page.getByRole("heading", { level: 1 })).toHaveCount(1);
    expect(await page.title()).not.toBe("");
    if (visit.status) await expect(page.locator("[data-reason]")).toHaveText(/^Reason code: [a-z0-9_]+$/);

    for (const colorScheme of ["light", "dark"] as const) {
      await page.emulateMedia({ colorScheme, reducedMotion: "reduce" });
      const { violations } = await new AxeBuilder({ page }).withTags(tags).analyze();
      const found = violations.map((v) => `${v.id}: ${v.nodes.map((n) => `${n.target.join(" ")} ${n.failureSummary ?? ""}`).join("\n")}`);
      expect(found, `axe, ${colorScheme}`).toEqual([]);
    }

    // Whoever uses a keyboard gets past the header with the first key.
    await page.locator("body").press("Tab");
    const skip = page.getByRole("link", { name: "Skip to content" });
    await expect(skip).toBeFocused();
    await expect(skip).toBeInViewport();
    await expect(page.locator((await skip.getAttribute("href"))!)).toHaveCount(1);

    // Nobody may take the sandbox for the real Campus One.
    await expect(page.getByText(/sandbox/i).first()).toBeVisible();

    for (const width of [320, 360]) {
      await page.setViewportSize({ width, height: 640 });
      const overflow = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
      expect(overflow, `sideways scrolling at ${width} px`).toBeLessThanOrEqual(0);
    }
  });
}
