// What a person does at the provider, the same way at every one of them.

import type { Page } from "@playwright/test";
import { isSandbox, type World } from "./worlds.ts";

export interface Person {
  name: string;
  given: string;
  studentId?: string;
  level?: string;
}

export const aisha: Person = { name: "Aisha Mohammed", given: "Aisha", studentId: "256240001", level: "300" };
export const zainab: Person = { name: "Zainab Bello", given: "Zainab", studentId: "266240112", level: "200" };
export const ngozi: Person = { name: "Ngozi Eze", given: "Ngozi" };

const button = (page: Page, name: string) => page.getByRole("button", { name: new RegExp(name) }).first();

/** Signs in at the provider alone, before the app is opened in this browser. */
export async function signInAtProvider(page: Page, world: World, person: Person): Promise<void> {
  if (isSandbox(world)) await haveConsent(page, world, person);
  await page.goto(`${world.provider}/sign-in`);
  await button(page, person.name).click();
  await page.waitForURL((url) => url.pathname !== "/sign-in");
}

/** Lets a person allow the app once, in a browser of their own, as everybody has to in the sandbox. */
async function haveConsent(page: Page, world: World, person: Person): Promise<void> {
  const answer = await page.request.get(`${world.provider}/sandbox/api/state`);
  const state = (await answer.json()) as { people: { id: string; name: string }[]; consents: { person: string }[] };
  const id = state.people.find((candidate) => candidate.name === person.name)?.id;
  if (state.consents.some((consent) => consent.person === id)) return;
  const elsewhere = await page.context().browser()!.newContext();
  await signInThroughApp(await elsewhere.newPage(), world, person);
  await elsewhere.close();
}

/** Chooses a person on the provider's page, and allows the app where it asks. */
export async function choose(page: Page, world: World, person: Person): Promise<void> {
  await page.waitForURL(`${world.provider}/sign-in**`);
  await button(page, person.name).click();
  await page.waitForLoadState("load");
  if (new URL(page.url()).pathname === "/consent") await button(page, "Allow").click();
}

/** Opens a protected path of the app and signs in on the way. */
export async function signInThroughApp(page: Page, world: World, person: Person, path = "/dashboard"): Promise<void> {
  await page.goto(world.app + path);
  await choose(page, world, person);
  await page.waitForURL(world.app + path);
}

async function tell(page: Page, world: World, command: string, body: object): Promise<void> {
  const base = isSandbox(world) ? "/sandbox/api" : "/control";
  const answer = await page.request.post(`${world.provider}${base}/${command}`, { data: body });
  const said = (await answer.json()) as { status?: number; statuses?: Record<string, number> };
  const statuses = said.statuses ? Object.values(said.statuses) : [said.status];
  if (!answer.ok() || statuses.some((status) => status !== 200)) {
    throw new Error(`${command}: ${answer.status()} ${JSON.stringify(said)}`);
  }
}

async function idOf(page: Page, world: World, person: Person): Promise<string> {
  const answer = await page.request.get(`${world.provider}/sandbox/api/state`);
  const { people } = (await answer.json()) as { people: { id: string; name: string }[] };
  return people.find((candidate) => candidate.name === person.name)!.id;
}

/** Gives a person other custom roles at the provider, which tells the app. */
export async function setCustomRoles(page: Page, world: World, person: Person, roles: string[]): Promise<void> {
  const change = isSandbox(world)
    ? { person: await idOf(page, world, person), custom_roles: roles, webhook: true }
    : { name: person.name, customRoles: roles };
  await tell(page, world, "person", change);
}

/** What a person's "Disconnect" in Campus One does. */
export async function disconnect(page: Page, world: World, person: Person): Promise<void> {
  const who = isSandbox(world)
    ? { person: await idOf(page, world, person), webhook: true }
    : { name: person.name };
  await tell(page, world, "disconnect", who);
}
