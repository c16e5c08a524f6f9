// The case `nginx`: calls through nginx whose `auth_request` asks Tollgate, against the same nginx asking a handler that always says
// yes with Tollgate's own answer. nginx is set up as examples/orders/nginx.conf has it; behind it stands the bare server.
//
// All servers share core 0, wrk has core 1: the ratio is that of whole calls, the time of the server that of the gate alone.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { compare, table } from './compare.mjs';
import { call, freePort, readyAfter, wrk } from './machine.mjs';

const CONFIG = new URL('../examples/orders/nginx.conf', import.meta.url);
const GATE = '/forward-auth/demo/nginx';
const AIM = 0.9;

export async function measure(bench) {
  const { rounds, seconds, connections } = bench.settings;
  const tollgate = await bench.product('nginx', { TOLLGATE_TRUSTED_PROXIES: '127.0.0.1/32' });
  await tollgate.start();
  tollgate.fill();
  const key = { Authorization: `Bearer ${tollgate.key.secret}` };
  const answer = await call(tollgate.url + GATE, { method: 'HEAD', headers: { ...key, 'X-Original-Method': 'GET', 'X-Original-URI': '/orders' } });
  if (answer.status !== 200) throw new Error(`the gate answers ${answer.status}`);

  const orders = { status: 200, headers: [['content-type', 'application/json']], body: '{"data":[]}' };
  const upstream = await bench.bare('upstream', [{ method: 'GET', path: '/orders', answer: orders }]);
  const yes = await bench.bare('yes', [{ method: 'GET', path: GATE, answer }]);
  const ways = {
    tollgate: { port: await startNginx(bench, 'asks-tollgate', tollgate.port, upstream.port, key), pid: tollgate.pid },
    bare: { port: await startNginx(bench, 'asks-yes', yes.port, upstream.port, key), pid: yes.pid },
  };

  const runs = { tollgate: [], bare: [] };
  const request = { method: 'GET', path: '/orders', headers: key };
  for (let round = -1; round < rounds; round++) { // round -1 warms up
    for (const who of round % 2 ? ['bare', 'tollgate'] : ['tollgate', 'bare']) {
      const figures = await wrk(ways[who].port, ways[who].pid, [request], { seconds: round < 0 ? 1 : seconds, connections, folder: bench.folder });
      if (round >= 0) runs[who].push(figures);
    }
  }
  return { name: 'forward-auth, nginx', ...compare(runs), rounds: runs };
}

/** nginx of the example between a gate and an upstream; its port. */
async function startNginx(bench, name, gate, upstream, headers) {
  const port = await freePort();
  const folder = join(bench.folder, name);
  mkdirSync(folder);
  const config = readFileSync(CONFIG, 'utf8')
    .replace('127.0.0.1:3000', `127.0.0.1:${gate}`).replace('127.0.0.1:4000', `127.0.0.1:${upstream}`).replace('127.0.0.1:4001', `127.0.0.1:${port}`);
  writeFileSync(join(folder, 'nginx.conf'), config);
  const child = bench.start(name, 'nginx', ['-e', 'stderr', '-p', folder, '-c', join(folder, 'nginx.conf')]);
  const askedWithKey = () => call(`http://127.0.0.1:${port}/orders`, { headers }).catch(() => undefined);
  await readyAfter(askedWithKey, child, 5000);
  return port;
}

export function report(result, say) {
  table([result], say);
  say(`aim           ${AIM} of nginx with a handler that always says yes: ${result.ratio.throughput >= AIM ? 'met' : 'missed'}`);
}
