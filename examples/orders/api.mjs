// A tiny orders API that knows nothing of keys: Node, no dependency, orders in memory.
//
// Its proxy asks Tollgate about every call and says who calls in X-Key-Id and X-Key-Owner. The API listens on loopback, believes
// these two headers because nobody but the proxy can reach it, and refuses a call that comes without them.
import { createHash } from 'node:crypto';
import { createServer } from 'node:http';

const orders = new Map();
const place = (item, quantity, by) => {
  const id = `ord_${orders.size + 1}`;
  const order = { id, item, quantity, placed_by: by, placed_at: new Date().toISOString() };
  orders.set(id, order);
  return order;
};
place('Tea, 100 g', 2, 'demo');
place('Teapot', 1, 'demo');

const MAX_BODY = 10_000;

/** One answer: status, what to send as JSON, further headers. A `problem` is RFC 9457. */
const json = (status, value, headers = {}) => ({ status, type: 'application/json', value, headers });
const problem = (status, title, detail, headers = {}) =>
  ({ status, type: 'application/problem+json', value: { type: 'about:blank', title, status, detail }, headers });

/** True unless the Content-Digest (RFC 9530) that came is of another body: of a signed call Tollgate saw the digest, and only this API sees both. */
function isOfDigest(bytes, told) {
  if (told === undefined) return true;
  const parts = told.split(',').map((part) => part.trim().match(/^(sha-256|sha-512)=:([A-Za-z0-9+/=]*):$/)).filter(Boolean);
  return parts.length > 0 && parts.every(([, name, digest]) => createHash(name.replace('-', '')).update(bytes).digest('base64') === digest);
}

async function body(request) {
  const chunks = [];
  let size = 0;
  for await (const chunk of request) {
    size += chunk.length;
    if (size > MAX_BODY) return { refused: problem(413, 'Content Too Large', `An order has at most ${MAX_BODY} bytes.`, { Connection: 'close' }) };
    chunks.push(chunk);
  }
  const bytes = Buffer.concat(chunks);
  if (!isOfDigest(bytes, request.headers['content-digest'])) return { refused: problem(400, 'Bad Request', 'The Content-Digest is not that of the body.') };
  try {
    return { value: JSON.parse(bytes.toString('utf8')) };
  } catch {
    return { refused: problem(400, 'Bad Request', 'The body is not JSON.') };
  }
}

async function create(request, caller) {
  const { value, refused } = await body(request);
  if (refused) return refused;
  const item = typeof value?.item === 'string' ? value.item.trim() : '';
  if (item === '' || item.length > 80) return problem(422, 'Unprocessable Content', '"item" is a text of 1 to 80 characters.');
  const quantity = value.quantity ?? 1;
  if (!Number.isInteger(quantity) || quantity < 1 || quantity > 1000) {
    return problem(422, 'Unprocessable Content', '"quantity" is a whole number from 1 to 1000.');
  }
  const order = place(item, quantity, caller.owner);
  return json(201, order, { Location: `/orders/${order.id}` });
}

async function answer(request) {
  const { pathname } = new URL(request.url, 'http://orders');
  if (pathname === '/healthz') return json(200, { ok: true });

  const caller = { key_id: request.headers['x-key-id'], owner: request.headers['x-key-owner'] };
  if (!caller.key_id || !caller.owner) return problem(403, 'Forbidden', 'Call this API through its proxy: nobody has said whose call this is.');

  const reads = request.method === 'GET' || request.method === 'HEAD';
  if (pathname === '/orders') {
    if (reads) return json(200, { data: [...orders.values()], caller });
    if (request.method === 'POST') return create(request, caller);
    return problem(405, 'Method Not Allowed', 'Orders are listed with GET and placed with POST.', { Allow: 'GET, HEAD, POST' });
  }
  const order = orders.get(pathname.match(/^\/orders\/([^/]+)$/)?.[1]);
  if (!order) return problem(404, 'Not Found', 'There is no such order.');
  return reads ? json(200, order) : problem(405, 'Method Not Allowed', 'An order is read with GET.', { Allow: 'GET, HEAD' });
}

const server = createServer(async (request, response) => {
  // A browser asks before its call. What it may, the proxy says in the head of this answer.
  if (request.method === 'OPTIONS') return response.writeHead(204).end();
  const { status, type, value, headers } = await answer(request);
  const text = `${JSON.stringify(value)}\n`;
  response.writeHead(status, { 'Content-Type': type, 'Content-Length': Buffer.byteLength(text), ...headers });
  response.end(request.method === 'HEAD' ? undefined : text);
});
server.keepAliveTimeout = 75_000; // longer than the proxies keep an idle connection
server.listen(Number(process.env.ORDERS_PORT ?? 4000), '127.0.0.1');
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => process.exit(0));
