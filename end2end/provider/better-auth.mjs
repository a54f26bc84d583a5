// An OpenID Provider that nobody here wrote: better-auth with `oidcProvider` and `jwt`, which is
// what Campus One shows itself to be. Everything is in memory and gone at the end.
//
//   PROVIDER_PORT      where it listens, on 127.0.0.1
//   PROVIDER_CLIENTS   [{"id","secret","name","trusted","redirectUrls":[…],"webhook":{"url","secret"}}]
//   PROVIDER_ISSUED    a file that each secret it hands out is appended to, one a line

import { appendFileSync } from "node:fs";
import { createServer } from "node:http";
import { createHmac, randomBytes } from "node:crypto";
import { betterAuth } from "better-auth";
import { memoryAdapter } from "better-auth/adapters/memory";
import { jwt, oidcProvider } from "better-auth/plugins";
import { consentPage, signedInPage, signInPage } from "./pages.mjs";
import { extraClaims, PASSWORD, people } from "./people.mjs";

const port = Number(process.env.PROVIDER_PORT ?? 3020);
const origin = `http://127.0.0.1:${port}`;
const clients = JSON.parse(process.env.PROVIDER_CLIENTS ?? "[]");
const issuedFile = process.env.PROVIDER_ISSUED;

const db = Object.fromEntries(
  ["user", "session", "account", "verification", "jwks", "oauthApplication", "oauthAccessToken", "oauthConsent"].map(
    (table) => [table, []],
  ),
);

const auth = betterAuth({
  baseURL: origin,
  secret: randomBytes(32).toString("hex"),
  database: memoryAdapter(db),
  emailAndPassword: { enabled: true },
  logger: { level: "warn" },
  telemetry: { enabled: false },
  plugins: [
    // Bare origin as issuer although discovery is below /api/auth: as Campus One documents itself.
    jwt({ jwt: { issuer: origin } }),
    oidcProvider({
      loginPage: "/sign-in",
      consentPage: "/consent",
      useJWTPlugin: true,
      requirePKCE: true,
      scopes: ["academic", "roles", "calendar", "notifications"],
      trustedClients: clients.map((client) => ({
        clientId: client.id,
        clientSecret: client.secret,
        name: client.name,
        type: "web",
        redirectUrls: client.redirectUrls,
        skipConsent: client.trusted,
        disabled: false,
        metadata: {},
      })),
      getAdditionalUserInfoClaim: extraClaims,
      __skipDeprecationWarning: true,
    }),
  ],
});

/** Each call that reached the provider, for tests to count. */
const calls = [];

function remember(values) {
  if (issuedFile) for (const value of values) if (value) appendFileSync(issuedFile, `${value}\n`);
}

const html = (body) =>
  new Response(body, { headers: { "content-type": "text/html; charset=utf-8", "cache-control": "no-store" } });

/** Calls better-auth as its own front end would, with the browser's cookies. */
function callAuth(request, path, body) {
  const headers = new Headers({ "content-type": "application/json", origin });
  const cookie = request.headers.get("cookie");
  if (cookie) headers.set("cookie", cookie);
  return auth.handler(new Request(`${origin}/api/auth${path}`, { method: "POST", headers, body: JSON.stringify(body) }));
}

function seeOther(location, answer) {
  const response = new Response(null, { status: 303, headers: { location } });
  for (const cookie of answer.headers.getSetCookie()) response.headers.append("set-cookie", cookie);
  return response;
}

async function signIn(request) {
  const form = new URLSearchParams(await request.text());
  const person = people.find((candidate) => candidate.email === form.get("email"));
  if (!person) return new Response("Nobody of that name", { status: 400 });
  const answer = await callAuth(request, "/sign-in/email", { email: person.email, password: PASSWORD });
  // With a pending authorization request better-auth goes on with it right away: with the newest one,
  // as its cookie holds no more than one.
  const location = answer.headers.get("location") ?? (await answer.clone().json().catch(() => null))?.url;
  if (location) return seeOther(location, answer);
  if (!answer.ok) return new Response(await answer.text(), { status: answer.status });
  const { search, searchParams } = new URL(request.url);
  return seeOther(searchParams.has("client_id") ? `/api/auth/oauth2/authorize${search}` : "/signed-in", answer);
}

async function consent(request) {
  const form = new URLSearchParams(await request.text());
  const answer = await callAuth(request, "/oauth2/consent", {
    accept: form.get("accept") === "yes",
    consent_code: form.get("consent_code"),
  });
  if (!answer.ok) return new Response(await answer.text(), { status: answer.status });
  const { redirectURI } = await answer.clone().json();
  return seeOther(redirectURI, answer);
}

async function authEndpoint(request, url) {
  const call = { path: url.pathname.replace("/api/auth", ""), prompt: url.searchParams.get("prompt") };
  if (call.path === "/oauth2/token") {
    const form = new URLSearchParams(await request.clone().text());
    Object.assign(call, { grant: form.get("grant_type"), code: form.get("code") });
    remember([form.get("code"), form.get("code_verifier")]);
  }
  calls.push(call);
  const answer = await auth.handler(request);
  call.status = answer.status;
  if (call.path === "/oauth2/token" && answer.ok) {
    const tokens = await answer.clone().json();
    remember([tokens.access_token, tokens.refresh_token, tokens.id_token]);
  }
  return answer;
}

/** What Campus One adds to better-auth: it tells the apps. */
async function announce(event, person, data = {}) {
  const user = db.user.find((candidate) => candidate.email === person.email);
  const statuses = {};
  for (const client of clients) {
    const timestamp = new Date().toISOString();
    const body = JSON.stringify({ event, timestamp, data: { userId: user.id, clientId: client.id, ...data } });
    const signature = createHmac("sha256", client.webhook.secret).update(body).digest("hex");
    const headers = { "content-type": "application/json", "x-campus-one-signature": `sha256=${signature}` };
    statuses[client.id] = (await fetch(client.webhook.url, { method: "POST", headers, body })).status;
  }
  return Response.json({ statuses });
}

/** Changes what is known of a person, as somebody in Campus One's Managed access page does. */
async function changePerson(request) {
  const change = await request.json();
  const person = people.find((candidate) => candidate.name === change.name);
  if (!person) return new Response("Nobody of that name", { status: 400 });
  person.customRoles = change.customRoles;
  return announce("user.role_changed", person);
}

/** What "Disconnect" does: the consents and tokens of a person are gone. */
async function disconnect(request) {
  const { name } = await request.json();
  const person = people.find((candidate) => candidate.name === name);
  if (!person) return new Response("Nobody of that name", { status: 400 });
  const user = db.user.find((candidate) => candidate.email === person.email);
  for (const table of ["oauthAccessToken", "oauthConsent"]) {
    const kept = db[table].filter((row) => row.userId !== user.id);
    db[table].splice(0, db[table].length, ...kept);
  }
  return announce("user.disconnected", person);
}

async function route(request) {
  const url = new URL(request.url);
  const key = `${request.method} ${url.pathname}`;
  if (url.pathname.startsWith("/api/auth/")) return authEndpoint(request, url);
  switch (key) {
    case "GET /sign-in":
      return html(signInPage(people, url.searchParams.toString()));
    case "POST /sign-in":
      return signIn(request);
    case "GET /signed-in":
      return html(signedInPage());
    case "GET /consent": {
      const client = clients.find((candidate) => candidate.id === url.searchParams.get("client_id"));
      const scopes = (url.searchParams.get("scope") ?? "").split(" ").filter(Boolean);
      return html(consentPage(client?.name ?? "?", scopes, url.searchParams.get("consent_code") ?? ""));
    }
    case "POST /consent":
      return consent(request);
    case "GET /control/calls":
      return Response.json(calls);
    case "POST /control/forget-consents":
      db.oauthConsent.length = 0;
      return Response.json({ ok: true });
    case "POST /control/person":
      return changePerson(request);
    case "POST /control/disconnect":
      return disconnect(request);
    case "GET /health":
      return new Response("ok");
    default:
      return new Response("Not found", { status: 404 });
  }
}

async function toRequest(incoming) {
  const chunks = [];
  for await (const chunk of incoming) chunks.push(chunk);
  const headers = new Headers();
  for (let i = 0; i < incoming.rawHeaders.length; i += 2) {
    headers.append(incoming.rawHeaders[i], incoming.rawHeaders[i + 1]);
  }
  const body = chunks.length > 0 ? Buffer.concat(chunks) : undefined;
  return new Request(`${origin}${incoming.url}`, { method: incoming.method, headers, body });
}

for (const person of people) {
  await auth.api.signUpEmail({ body: { email: person.email, name: person.name, password: PASSWORD } });
}
db.session.length = 0;

createServer(async (incoming, outgoing) => {
  try {
    const response = await route(await toRequest(incoming));
    const headers = Object.fromEntries(response.headers);
    const cookies = response.headers.getSetCookie();
    if (cookies.length > 0) headers["set-cookie"] = cookies;
    outgoing.writeHead(response.status, headers);
    outgoing.end(Buffer.from(await response.arrayBuffer()));
  } catch (error) {
    console.error(error);
    outgoing.writeHead(500).end("The provider failed");
  }
}).listen(port, "127.0.0.1", () => console.log(`better-auth provider at ${origin}`));
