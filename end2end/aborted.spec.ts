// A run that was killed leaves its products' folders in memory: the next one removes them.
import { spawnSync } from 'node:child_process';
import { mkdir, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { removeStale, runsIn, startOf } from './support/folders';
import { expect, test } from './support/test';

test('the folder of a worker that is gone is removed, unless its server still runs', async () => {
  const place = await mkdtemp(join(tmpdir(), 'places-'));
  const { pid: gone } = spawnSync(process.execPath, ['-e', '']);
  const folder = async (name: string, server?: number) => {
    await mkdir(join(place, name));
    if (server !== undefined) await runsIn(join(place, name), server);
  };
  await folder(`${startOf(gone)}before`);
  await folder(`${startOf(gone)}stopped`, gone);
  const kept = [`${startOf(gone)}running`, `${startOf(process.pid)}mine`, 'tollgate-dev-0'];
  await folder(kept[0], process.pid);
  await folder(kept[1]);
  await folder(kept[2]);
  await removeStale(place);
  expect((await readdir(place)).sort()).toEqual(kept.sort());
  await rm(place, { recursive: true });
});
