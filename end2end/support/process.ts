// Child processes of the run: started with a clean environment, their output in a file.

import { spawn, type ChildProcess } from "node:child_process";
import { closeSync, openSync, readFileSync } from "node:fs";
import { createServer } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";

export interface Started {
  name: string;
  log: string;
  stop(): Promise<void>;
}

/** Refuses to go on where a stranger would answer in place of the process we start. */
export async function mustBeFree(port: number): Promise<void> {
  for (const host of ["127.0.0.1", "::1"]) {
    await new Promise<void>((resolve, reject) => {
      const probe = createServer();
      probe.once("error", (error: NodeJS.ErrnoException) =>
        error.code === "EADDRINUSE"
          ? reject(new Error(`Port ${port} is in use; set E2E_PORT to the first of seven free ones.`))
          : resolve(),
      );
      probe.listen(port, host, () => probe.close(() => resolve()));
    });
  }
}

export async function start(
  name: string,
  command: string[],
  options: { cwd: string; env: Record<string, string>; log: string; ready: string[]; seconds: number },
): Promise<Started> {
  const output = openSync(options.log, "w");
  const [program, ...args] = command;
  const child = spawn(program!, args, {
    cwd: options.cwd,
    stdio: ["ignore", output, output],
    env: { PATH: process.env.PATH ?? "", HOME: process.env.HOME ?? "", ...options.env },
  });
  closeSync(output);
  try {
    for (const url of options.ready) await answers(name, child, url, options.seconds);
  } catch (error) {
    await stop(name, child).catch(() => {});
    const tail = readFileSync(options.log, "utf8").split("\n").slice(-40).join("\n");
    throw new Error(`${(error as Error).message}\n${tail}`);
  }
  return { name, log: options.log, stop: () => stop(name, child) };
}

async function answers(name: string, child: ChildProcess, url: string, seconds: number): Promise<void> {
  const until = Date.now() + seconds * 1000;
  let last = "nothing";
  while (Date.now() < until) {
    if (child.exitCode !== null || child.signalCode !== null) {
      throw new Error(`${name} ended at once (${child.exitCode ?? child.signalCode}).`);
    }
    try {
      const response = await fetch(url, { signal: AbortSignal.timeout(2000) });
      if (response.ok) return;
      last = String(response.status);
    } catch (error) {
      last = String((error as Error).cause ?? error);
    }
    await sleep(150);
  }
  throw new Error(`${name} did not answer at ${url} within ${seconds} s (last: ${last}).`);
}

/** Asks it to end, and calls it a fault when it does not. */
async function stop(name: string, child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) {
    throw new Error(`${name} was not running any more at the end (${child.exitCode ?? child.signalCode}).`);
  }
  const ended = new Promise<void>((resolve) => child.once("exit", () => resolve()));
  child.kill("SIGTERM");
  const inTime = await Promise.race([ended.then(() => true), sleep(20_000, false, { ref: false })]);
  if (!inTime) {
    child.kill("SIGKILL");
    await ended;
    throw new Error(`${name} did not stop within 20 s of SIGTERM.`);
  }
}
