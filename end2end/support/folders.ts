// The folders of products: in memory where there is room, each with the worker in its name that removes it. What a worker leaves that
// was killed is removed at the next start of a product.
import { mkdtemp, readdir, readFile, rm, statfs, writeFile } from 'node:fs/promises';
import { freemem, hostname, tmpdir } from 'node:os';
import { join } from 'node:path';

const MEMORY = '/dev/shm';
/** Of this machine only: nothing is known of the processes of another one that shares the place. */
const PREFIX = `tollgate-e2e-${hostname().slice(0, 12)}-`;
/** In the folder, which server runs there. */
const SERVER = 'server.pid';

/** A new folder of this worker. */
export async function productFolder(): Promise<string> {
  for (const place of new Set([MEMORY, tmpdir()])) await removeStale(place);
  return mkdtemp(join(await roomInMemory() ? MEMORY : tmpdir(), startOf(process.pid)));
}

/** How the names of a worker's folders begin. */
export const startOf = (worker: number) => `${PREFIX}${worker}-`;

export const runsIn = (folder: string, server: number) => writeFile(join(folder, SERVER), String(server));

/** Removes the folders whose workers are gone, unless a server still runs there, which nobody has stopped. */
export async function removeStale(place: string): Promise<void> {
  for (const name of await readdir(place).catch(() => [])) {
    const worker = name.startsWith(PREFIX) ? Number(name.slice(PREFIX.length).split('-')[0]) : 0;
    if (!(worker > 0) || runs(worker)) continue;
    const folder = join(place, name);
    const server = Number(await readFile(join(folder, SERVER), 'utf8').catch(() => ''));
    if (server > 0 && runs(server)) continue;
    await rm(folder, { recursive: true, force: true }).catch(() => undefined); // it is another user's, or another worker removes it
  }
}

function runs(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'; // it does, as another user
  }
}

/** A database that lives for a test is made and written faster there; containers often have 64 MB of it. */
async function roomInMemory(): Promise<boolean> {
  const room = await statfs(MEMORY).then(({ bavail, bsize }) => bavail * bsize, () => 0);
  return Math.min(room, freemem()) > 3e9;
}
