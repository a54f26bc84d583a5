// What an open page learns by itself. Without scripts the next click says it: access.spec.ts.

import { setCustomRoles, signInThroughApp, zainab } from "../support/people.ts";
import { expect, test } from "../support/test.ts";

test("an open page says within two seconds that roles changed", async ({ page, world }) => {
  await setCustomRoles(page, world, zainab, ["editor"]);
  // The page listens once its stream has begun.
  const listening = page.waitForResponse((response) => response.url().includes("/auth/events"));
  await signInThroughApp(page, world, zainab);
  await listening;

  await setCustomRoles(page, world, zainab, []);

  const news = page.getByRole("status").filter({ hasText: "Your roles in Campus One have changed" });
  await expect(news).toBeVisible({ timeout: 2_000 });
  await news.getByRole("link").click();
  await expect(page.getByRole("heading", { level: 1 })).toContainText(zainab.given);
  await expect(news).toHaveCount(0);
  await setCustomRoles(page, world, zainab, ["editor"]);
});
