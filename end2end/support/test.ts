// The test function of this suite. Every test fails on a message in the browser's console.

import { test as base, expect, type BrowserContext, type Page, type Request } from "@playwright/test";
import { rememberCookies } from "./secrets.ts";
import { CALLBACK, isSandbox, worlds, type World, type WorldName } from "./worlds.ts";

export { expect };

export interface Options {
  worldName: WorldName;
}

/** What the browser asked the provider and us for, as navigations, redirects included. */
export class Trail {
  readonly navigations: URL[] = [];
  /** Documents that were shown, in order. */
  readonly shown: string[] = [];

  constructor(
    private readonly world: World,
    context: BrowserContext,
  ) {
    context.on("request", (request: Request) => {
      if (request.isNavigationRequest()) this.navigations.push(new URL(request.url()));
    });
    context.on("page", (page) => this.watch(page));
  }

  watch(page: Page): void {
    page.on("framenavigated", (frame) => {
      if (frame.url() !== "about:blank") this.shown.push(frame.url());
    });
  }

  /** Round trips to the provider so far. */
  authorizations(): URL[] {
    return this.navigations.filter(
      (url) => url.origin === this.world.provider && url.pathname.endsWith("/oauth2/authorize"),
    );
  }

  /** Answers of the provider that carried a code. */
  callbacks(): URL[] {
    return this.navigations.filter(
      (url) => url.origin === this.world.app && url.pathname === CALLBACK && url.searchParams.has("code"),
    );
  }

  shownFromProvider(): string[] {
    return this.shown.filter((url) => url.startsWith(this.world.provider));
  }
}

export const test = base.extend<
  Options & {
    world: World;
    trail: Trail;
    /** Statuses of documents that this test means to get; the browser logs each as an error. */
    meant: Set<number>;
    /** How many codes the app has redeemed so far. */
    redemptions: () => Promise<number>;
    quiet: void;
  }
>({
  worldName: ["sandbox", { option: true }],
  world: async ({ worldName }, use) => use(worlds[worldName]),
  baseURL: async ({ world }, use) => use(world.app),
  meant: async ({}, use) => use(new Set()),
  trail: async ({ world, context }, use) => use(new Trail(world, context)),
  redemptions: async ({ world, request }, use) =>
    use(async () => {
      if (isSandbox(world)) {
        const state = await (await request.get(`${world.provider}/sandbox/api/state`)).json();
        return (state as { counts: { token: number } }).counts.token;
      }
      const calls = await (await request.get(`${world.provider}/control/calls`)).json();
      return (calls as { grant?: string }[]).filter((call) => call.grant === "authorization_code").length;
    }),
  quiet: [
    async ({ context, world, meant, javaScriptEnabled, trail }, use) => {
      void trail;
      const messages: string[] = [];
      const documents = new Map<string, number>();
      context.on("response", (response) => {
        if (response.request().isNavigationRequest()) documents.set(response.url(), response.status());
      });
      context.on("console", (message) => {
        if (!["error", "warning", "assert"].includes(message.type())) return;
        const text = message.text();
        const status = /^Failed to load resource: the server responded with a status of (\d+)/.exec(text)?.[1];
        const url = message.location().url;
        if (status && meant.has(Number(status)) && documents.get(url) === Number(status)) return;
        // What icon a provider has is not ours to judge.
        if (status && url === `${world.provider}/favicon.ico`) return;
        // Without scripts nothing uses what was preloaded for them.
        if (javaScriptEnabled === false && /was preloaded using link preload but not used/.test(text)) return;
        messages.push(`${message.type()}: ${text} (${url})`);
      });
      context.on("weberror", (error) => messages.push(`page error: ${error.error().message}`));
      await use();
      await rememberCookies(context);
      expect(messages, "messages in the browser's console").toEqual([]);
    },
    { auto: true },
  ],
});
