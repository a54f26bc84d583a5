// Starts everything the journeys need, and checks what it left behind when they are done.

import { randomBytes } from "node:crypto";
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { mustBeFree, start, type Started } from "./process.ts";
import { issuedFile, seenFile } from "./secrets.ts";
import { CALLBACK, isSandbox, worlds, type World } from "./worlds.ts";

const end2end = path.resolve(import.meta.dirname, "..");
const root = path.resolve(end2end, "..");
const stage = process.env.CAMPUS_STAGE ?? path.join(root, "target/end2end");
const logs = path.join(root, "target/logs");
const server = path.join(stage, "server");

const folder = (world: World) => world.name.replaceAll(" ", "-");
const secret = () => randomBytes(36).toString("base64url");
const clientSecrets = { "better-auth": secret(), consent: secret() };
const webhookSecrets = { "better-auth": secret(), consent: secret() };
const clientIds = { "better-auth": "desk-trusted", consent: "desk-untrusted" };

export default async function globalSetup(): Promise<() => Promise<void>> {
  if (!existsSync(server)) {
    throw new Error(`${server} is missing: 'scripts/test site' builds it.`);
  }
  for (const port of new Set(Object.values(worlds).flatMap((w) => [w.appPort, w.providerPort]))) {
    await mustBeFree(port);
  }
  mkdirSync(logs, { recursive: true });
  for (const file of [issuedFile, seenFile]) writeFileSync(file, "");

  const data = mkdtempSync(path.join(tmpdir(), "campus-desk-end2end-"));
  // The embedded database runs as another user where we are root, and has to get through here.
  chmodSync(data, 0o755);
  const started: Started[] = [];
  const configured: string[] = Object.values(clientSecrets);

  const app = (world: World, env: Record<string, string>) =>
    start(`campus-server (${world.name})`, [server], {
      cwd: root,
      log: path.join(logs, `server-${folder(world)}.log`),
      env: {
        APP_URL: world.app,
        LEPTOS_SITE_ADDR: `127.0.0.1:${world.appPort}`,
        LEPTOS_SITE_ROOT: path.join(stage, "site"),
        CAMPUS_DATA_DIR: path.join(data, folder(world)),
        ...env,
      },
      ready: [`http://127.0.0.1:${world.appPort}/api/health`, `http://127.0.0.1:${world.appPort}/api/ready`],
      seconds: 60,
    });

  const atBetterAuth = (name: "better-auth" | "consent") => {
    const world = worlds[name];
    const env = {
      CAMPUS_ONE_ISSUER: world.provider,
      CAMPUS_ONE_DISCOVERY_URL: `${world.provider}/api/auth/.well-known/openid-configuration`,
      CAMPUS_ONE_CLIENT_ID: clientIds[name],
      CAMPUS_ONE_CLIENT_SECRET: clientSecrets[name],
      CAMPUS_ONE_WEBHOOK_SECRET: webhookSecrets[name],
      SESSION_SECRET: secret(),
    };
    configured.push(env.CAMPUS_ONE_WEBHOOK_SECRET, env.SESSION_SECRET);
    return app(world, env);
  };

  const stopAll = async (): Promise<string[]> => {
    const outcomes = await Promise.allSettled(started.splice(0).map((one) => one.stop()));
    return outcomes.flatMap((o) => (o.status === "rejected" ? [String((o.reason as Error).message)] : []));
  };

  try {
    started.push(
      await start("better-auth provider", [process.execPath, "provider/better-auth.mjs"], {
        cwd: end2end,
        log: path.join(logs, "provider.log"),
        env: {
          PROVIDER_PORT: String(worlds["better-auth"].providerPort),
          PROVIDER_ISSUED: issuedFile,
          PROVIDER_CLIENTS: JSON.stringify(
            (["better-auth", "consent"] as const).map((name) => ({
              id: clientIds[name],
              secret: clientSecrets[name],
              name: "Campus Desk",
              trusted: name === "better-auth",
              redirectUrls: [worlds[name].app + CALLBACK, `${worlds[name].app}/auth/signed-out`],
              webhook: {
                url: `http://127.0.0.1:${worlds[name].appPort}/api/webhooks/campus-one`,
                secret: webhookSecrets[name],
              },
            })),
          ),
        },
        ready: [`${worlds["better-auth"].provider}/health`],
        seconds: 30,
      }),
    );
    // One after the other: each makes a database of its own, and two cores are soon busy.
    for (const [world, profile] of [
      [worlds.sandbox, "gen1"],
      [worlds["sandbox gen2"], "gen2"],
    ] as const) {
      const env = { SANDBOX_ADDR: `127.0.0.1:${world.providerPort}`, SANDBOX_PROFILE: profile };
      started.push(await app(world, env));
    }
    started.push(await atBetterAuth("better-auth"));
    started.push(await atBetterAuth("consent"));
  } catch (error) {
    await stopAll();
    rmSync(data, { recursive: true, force: true });
    throw error;
  }

  const serverLogs = started.slice(1).map((one) => one.log);
  return async () => {
    const faults = await stopAll();
    for (const world of Object.values(worlds).filter(isSandbox)) {
      for (const file of ["session-secret", "webhook-secret"]) {
        const kept = path.join(data, folder(world), file);
        if (existsSync(kept)) configured.push(readFileSync(kept, "utf8").trim());
      }
    }
    for (const log of serverLogs) faults.push(...faultsOfLog(log, configured));
    rmSync(data, { recursive: true, force: true });
    if (faults.length > 0) throw new Error(faults.join("\n"));
  };
}

/** A log may hold no panic, and nothing that lets its reader act as somebody else. */
function faultsOfLog(log: string, configured: string[]): string[] {
  const text = readFileSync(log, "utf8");
  const name = path.basename(log);
  const faults: string[] = [];
  if (text.trim() === "") faults.push(`${name} is empty: the server logs nothing.`);
  for (const line of text.split("\n")) {
    if (line.includes("panicked at")) faults.push(`${name}: ${line}`);
    if (/\beyJ[\w-]{8,}\.[\w-]{8,}\./.test(line)) faults.push(`${name} holds a signed token.`);
    if (/[?&]code=[\w-]{8,}/.test(line)) faults.push(`${name} holds an authorization code.`);
  }
  const secrets = [issuedFile, seenFile].flatMap((file) => readFileSync(file, "utf8").split("\n"));
  for (const value of new Set([...secrets, ...configured])) {
    if (value.length >= 12 && text.includes(value)) {
      faults.push(`${name} holds a secret that begins with ${value.slice(0, 4)}.`);
    }
  }
  return [...new Set(faults)];
}
