// Access that ends while somebody is here: in the next click, and at once where scripts run.

import { ngozi, setCustomRoles, disconnect, signInThroughApp, zainab } from "../support/people.ts";
import { expect, test } from "../support/test.ts";

const session = "campus_desk";

test("a role taken away in Campus One closes the admin page on the next click", async ({ page, world, trail, meant }) => {
  await setCustomRoles(page, world, ngozi, ["unit_admin", "editor"]);
  await signInThroughApp(page, world, ngozi, "/admin");
  await expect(page.getByRole("heading", { level: 1 })).toBeVisible();
  const authorizations = trail.authorizations().length;
  const before = (await page.context().cookies(world.app)).find((cookie) => cookie.name === session)!.value;

  await setCustomRoles(page, world, ngozi, ["editor"]);
  meant.add(403);
  await page.getByRole("link", { name: "Admin", exact: true }).first().click();

  await expect(page.getByText("forbidden", { exact: true })).toBeVisible();
  await expect(page.getByRole("link", { name: "Admin", exact: true })).toHaveCount(0);
  expect((await page.request.get(`${world.app}/admin`)).status()).toBe(403);
  // Nobody was signed out for it, and nobody had to sign in again.
  await page.goto("/dashboard");
  await expect(page.getByRole("heading", { level: 1 })).toContainText(ngozi.given);
  const after = (await page.context().cookies(world.app)).find((cookie) => cookie.name === session)!.value;
  expect(after).toBe(before);
  expect(trail.authorizations()).toHaveLength(authorizations);

  await setCustomRoles(page, world, ngozi, ["unit_admin", "editor"]);
  await page.goto("/admin");
  await expect(page.getByRole("link", { name: "Admin", exact: true }).first()).toBeVisible();
});

test("who disconnects in Campus One is signed out here, told why, and the cookie is worth nothing", async ({
  page,
  world,
  context,
  meant,
  javaScriptEnabled,
}) => {
  // The page listens once its stream has begun.
  const listening = javaScriptEnabled && page.waitForResponse((response) => response.url().includes("/auth/events"));
  await signInThroughApp(page, world, zainab);
  await listening;
  const cookie = (await context.cookies(world.app)).find((candidate) => candidate.name === session)!;
  meant.add(401);
  await disconnect(page, world, zainab);
  // An open page shows it by itself; without scripts the next click does.
  if (!javaScriptEnabled) await page.getByRole("link", { name: "Dashboard" }).first().click();

  await expect(page.getByRole("heading", { level: 1 })).toHaveText("Campus Desk is disconnected", { timeout: 4_000 });
  await expect(page.getByText("disconnected from your account in Campus One")).toBeVisible();
  await expect(page.getByText(zainab.name)).toHaveCount(0);
  const stolen = await page.request.get(`${world.app}/auth/me`, { headers: { cookie: `${session}=${cookie.value}` } });
  expect(stolen.status()).toBe(401);

  // Nobody is signed in behind their back; the way back leads through Campus One.
  await page.goto("/");
  await expect(page.getByRole("link", { name: "Sign in" }).first()).toBeVisible();
});
