// The pairs of app and provider that the journeys run against. The app is `localhost` and the
// provider `127.0.0.1`: two sites, so that cookies behave as between two domains.

const base = Number(process.env.E2E_PORT ?? 3100);

export type WorldName = "sandbox" | "sandbox gen2" | "better-auth" | "consent";

export interface World {
  name: WorldName;
  /** Address of the app, without a slash at the end. */
  app: string;
  appPort: number;
  /** Address of the provider, likewise. */
  provider: string;
  providerPort: number;
}

const world = (name: WorldName, appPort: number, providerPort: number): World => ({
  name,
  app: `http://localhost:${appPort}`,
  appPort,
  provider: `http://127.0.0.1:${providerPort}`,
  providerPort,
});

export const worlds: Record<WorldName, World> = {
  /** Started with no setting but its port: the sandbox comes with it. */
  sandbox: world("sandbox", base, base + 1),
  /** The sandbox as the next generation of Campus One. */
  "sandbox gen2": world("sandbox gen2", base + 5, base + 6),
  /** A provider nobody here wrote, where the app is trusted and nobody is asked for consent. */
  "better-auth": world("better-auth", base + 2, base + 4),
  /** The same provider, where the app is not trusted. */
  consent: world("consent", base + 3, base + 4),
};

export const CALLBACK = "/api/auth/callback/campus-one";

export const isSandbox = (world: World): boolean => world.name.startsWith("sandbox");
