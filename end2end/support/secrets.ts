// What must not turn up in a server's log, gathered while the tests run.

import { appendFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import type { BrowserContext } from "@playwright/test";

const file = (name: string) => path.join(tmpdir(), `campus-desk-end2end-${process.getuid?.() ?? 0}-${name}.txt`);

/** Codes, verifiers and tokens that the provider handed out. */
export const issuedFile = file("issued");
/** Values of cookies that browsers held. */
export const seenFile = file("seen");

export async function rememberCookies(context: BrowserContext): Promise<void> {
  // The markers hold plain words.
  const cookies = (await context.cookies()).filter(({ name }) => !/c1_(anon|signedout|ended)$/.test(name));
  const values = cookies.map((cookie) => cookie.value).filter((value) => value.length >= 12);
  if (values.length > 0) appendFileSync(seenFile, `${values.join("\n")}\n`);
}
