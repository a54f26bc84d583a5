// What people do with the app, at each provider, with and without scripts, on two kinds of screen.

import { CALLBACK, type World } from "../support/worlds.ts";
import { aisha, choose, signInAtProvider, signInThroughApp, zainab } from "../support/people.ts";
import { expect, test } from "../support/test.ts";

test("signed in at Campus One, one is signed in here without seeing a page of it", async ({ page, world, trail }) => {
  await signInAtProvider(page, world, aisha);
  trail.shown.length = 0;

  await page.goto("/");

  await expect(page).toHaveURL(`${world.app}/`);
  await expect(page.getByRole("heading", { level: 1 })).toContainText(aisha.given);
  await expect(page.getByRole("link", { name: "Dashboard" }).first()).toBeVisible();
  expect(trail.shown).toEqual([`${world.app}/`]);
  expect(trail.authorizations().map((url) => url.searchParams.get("prompt"))).toEqual(["none"]);
});

test("signed in at Campus One, a protected page opens without a page of it", async ({ page, world, trail }) => {
  await signInAtProvider(page, world, aisha);
  trail.shown.length = 0;

  await page.goto("/dashboard");

  await expect(page.getByRole("heading", { level: 1 })).toContainText(aisha.given);
  expect(trail.shown).toEqual([`${world.app}/dashboard`]);
});

test("with nobody signed in, the public page asks the provider once and not again", async ({ page, world, trail, context }) => {
  await page.goto("/");

  await expect(page).toHaveURL(`${world.app}/`);
  await expect(page.getByRole("heading", { level: 1 })).toBeVisible();
  await expect(page.getByRole("link", { name: "Sign in" }).first()).toHaveAttribute("href", /^\/auth\/login\?next=/);
  expect(trail.authorizations().map((url) => url.searchParams.get("prompt"))).toEqual(["none"]);
  expect(trail.shownFromProvider()).toEqual([]);
  expect((await context.cookies(world.app)).map((cookie) => cookie.name)).toContain("c1_anon");

  await page.goto("/");
  await page.reload();

  await expect(page.getByRole("link", { name: "Sign in" }).first()).toBeVisible();
  expect(trail.authorizations()).toHaveLength(1);
});

test("the sign-in link leads through the provider and back", async ({ page, world }) => {
  await page.goto("/");
  await page.getByRole("link", { name: "Sign in" }).first().click();
  await choose(page, world, aisha);

  await expect(page).toHaveURL(`${world.app}/`);
  await expect(page.getByRole("heading", { level: 1 })).toContainText(aisha.given);
});

test("a protected page leads through sign-in and back to it", async ({ page, world, trail, context }) => {
  await page.goto("/dashboard?week=3");
  await choose(page, world, zainab);

  await expect(page).toHaveURL(`${world.app}/dashboard?week=3`);
  await expect(page.getByRole("heading", { level: 1 })).toContainText(zainab.given);
  const main = page.getByRole("main");
  await expect(main).toContainText(zainab.studentId!);
  await expect(main).toContainText(zainab.level!);
  await expect(main).toContainText(/student/i);
  // Between mid-July and September no semester runs.
  await expect(main.getByRole("progressbar").or(main.getByText(/holidays/i)).first()).toBeVisible();
  // One silent attempt, then one page to sign in at.
  expect(trail.authorizations().map((url) => url.searchParams.get("prompt")).filter((p) => p === "none")).toHaveLength(1);
  expect((await context.cookies(world.app)).map((cookie) => cookie.name)).not.toContain("c1_anon");
});

test("two tabs can sign in at the same time", async ({ context, world }) => {
  const [first, second] = [await context.newPage(), await context.newPage()];
  await Promise.all([first.goto("/dashboard?tab=1"), second.goto("/dashboard?tab=2")]);

  // Silent attempts that find nobody are answered without their state, so two of the same moment may
  // come back with their addresses exchanged. What counts is that neither gets stuck or lost.
  const back = backAt(world, "dashboard\\?tab=[12]");
  await choose(first, world, aisha);
  await first.waitForURL(back);
  await choose(second, world, aisha);
  await second.waitForURL(back);

  await first.reload();
  for (const tab of [first, second]) {
    await expect(tab.getByRole("heading", { level: 1 })).toContainText(aisha.given);
  }
});

test("two tabs, opened one after the other, sign in and come back where they began", async ({ context, world }) => {
  const tabs = [await context.newPage(), await context.newPage()];
  for (const [index, tab] of tabs.entries()) await tab.goto(`/dashboard?tab=${index + 1}`);

  for (const [index, tab] of tabs.entries()) {
    await choose(tab, world, aisha);
    await tab.waitForURL(backAt(world, `dashboard\\?tab=${index + 1}`));
    await expect(tab.getByRole("heading", { level: 1 })).toContainText(aisha.given);
  }
});

/** Where a tab may be after a sign-in for `path`. */
function backAt(world: World, path: string): RegExp {
  // better-auth's sign-in page keeps one request in a cookie, the newest: whichever tab signs in first
  // is answered for that one, and the other has none left and may end up at home.
  return new RegExp(`^${world.app}/${world.name === "sandbox" ? path : "(dashboard\\?tab=[12])?"}$`);
}

test("tabs are signed in silently at the same time, each at its own address", async ({ context, page, world, trail }) => {
  await signInAtProvider(page, world, aisha);
  trail.shown.length = 0;
  const paths = ["/?tab=1", "/dashboard?tab=2", "/dashboard?tab=3"];
  const tabs = await Promise.all(paths.map(() => context.newPage()));

  await Promise.all(tabs.map((tab, index) => tab.goto(paths[index]!)));

  // A code comes with its state, at every provider.
  for (const [index, tab] of tabs.entries()) await expect(tab).toHaveURL(world.app + paths[index]!);
  // The public page may show its public face while another tab is under way; a reload never does.
  await tabs[0]!.reload();
  for (const tab of tabs) {
    await expect(tab.getByRole("heading", { level: 1 })).toContainText(aisha.given);
  }
  expect(trail.shownFromProvider()).toEqual([]);
});

test("reload, back button and an old callback address redeem nothing a second time", async ({ page, world, trail, redemptions }) => {
  await page.goto("/");
  await signInThroughApp(page, world, aisha);
  const callback = trail.callbacks().at(-1)!;
  const authorizations = trail.authorizations().length;
  const redeemed = await redemptions();

  await page.reload();
  await expect(page.getByRole("heading", { level: 1 })).toContainText(aisha.given);
  await page.goto(callback.href);
  await expect(page).toHaveURL(new RegExp(`^${world.app}/(dashboard)?$`));
  await page.goto("/");
  await page.goBack();
  await page.goForward();

  await expect(page.getByRole("heading", { level: 1 })).toContainText(aisha.given);
  expect(new URL(page.url()).origin).toBe(world.app);
  expect(trail.authorizations()).toHaveLength(authorizations);
  expect(await redemptions()).toBe(redeemed);
});

test("who signs out stays out", async ({ page, world, trail, context, meant }) => {
  // The protected page, asked for again, says that nobody is signed in.
  meant.add(401);
  await signInAtProvider(page, world, aisha);
  await page.goto("/dashboard");
  await page.getByRole("button", { name: "Sign out", exact: true }).first().click();

  await expect(page).toHaveURL(`${world.app}/auth/signed-out`);
  await expect(page.getByRole("heading", { level: 1 })).toHaveText("You are signed out");
  const before = trail.authorizations().length;

  // The back button shows nothing of the person either.
  await page.goBack();
  await expect(page.getByRole("heading", { level: 1 })).toBeVisible();
  await expect(page.getByText(aisha.studentId!)).toHaveCount(0);

  await page.goto("/");
  await expect(page.getByRole("link", { name: "Sign in" }).first()).toBeVisible();
  await expect(page.getByText(aisha.name)).toHaveCount(0);
  await page.goto("/dashboard");
  await expect(page.getByRole("main").getByRole("link", { name: "Sign in" }).first()).toBeVisible();
  await expect(page.getByText(aisha.name)).toHaveCount(0);
  // Although Campus One would still say who it is.
  expect(trail.authorizations()).toHaveLength(before);

  await page.goto("/");
  await page.getByRole("link", { name: "Sign in" }).first().click();
  await expect(page.getByRole("heading", { level: 1 })).toContainText(aisha.given);
  expect((await context.cookies(world.app)).map((cookie) => cookie.name)).not.toContain("c1_signedout");
});

test("who signs out of Campus One too is out, and the back button shows nothing", async ({ page, world, context, meant }) => {
  // The protected pages, asked for again, say that nobody is signed in.
  meant.add(401);
  // better-auth 1.6 lets only its own site, and origins it trusts, sign somebody out without a hint that
  // it can verify. Whoever it refuses is signed out here all the same.
  const confirms = world.name === "sandbox";
  if (!confirms) meant.add(403);
  await signInAtProvider(page, world, aisha);
  await page.goto("/");
  await page.goto("/dashboard");
  const other = await context.newPage();
  await other.goto("/dashboard");
  await expect(other.getByText(aisha.studentId!).first()).toBeVisible();
  await page.bringToFront();
  await page.getByRole("button", { name: "Sign out of Campus One too" }).click();

  if (confirms) {
    await expect(page).toHaveURL(new RegExp(`^${world.app}/auth/signed-out\\?state=`));
    await expect(page.getByText("You are signed out of Campus One in this browser, too.")).toBeVisible();
  } else {
    await expect(page).toHaveURL(new RegExp(`^${world.provider}/api/auth/oauth2/endsession\\?`));
    await page.goto("/auth/signed-out");
    await expect(page.getByText("Campus One did not confirm")).toBeVisible();
    await page.goBack();
  }
  for (const path of ["/dashboard", "/"]) {
    await page.goBack();
    await expect(page).toHaveURL(world.app + path);
    await expect(page.getByRole("heading", { level: 1 })).toBeVisible();
    await expect(page.getByText(aisha.name)).toHaveCount(0);
    await expect(page.getByText(aisha.studentId!)).toHaveCount(0);
  }

  // A tab that stayed open shows nothing either, as soon as it is used.
  await other.bringToFront();
  await other.reload();
  await expect(other.getByText(aisha.studentId!)).toHaveCount(0);

  // Where Campus One does not know them any more, it asks.
  await page.goto("/");
  await page.getByRole("link", { name: "Sign in" }).first().click();
  if (confirms) await choose(page, world, aisha);
  await expect(page.getByRole("heading", { level: 1 })).toContainText(aisha.given);
});

test("whoever confirms that it is them is asked by Campus One and comes back", async ({ page, world }) => {
  await signInAtProvider(page, world, aisha);
  await page.goto("/dashboard");

  await page.goto("/auth/confirm?next=%2Fdashboard%3Fweek%3D3");
  await choose(page, world, aisha);

  await expect(page).toHaveURL(`${world.app}/dashboard?week=3`);
  await expect(page.getByRole("heading", { level: 1 })).toContainText(aisha.given);
});

test("a health monitor gets 200 from the callback and leaves nothing behind", async ({ request, world }) => {
  for (const method of ["HEAD", "GET"]) {
    const answer = await request.fetch(world.app + CALLBACK, { method, maxRedirects: 0 });
    expect(answer.status()).toBe(200);
    expect(answer.headers()["set-cookie"]).toBeUndefined();
  }
});
