// Keys and calls as a program has them: made on the command line, set up by REST, signed by RFC 9421.
import { expect } from '@playwright/test';
import { generateKeyPairSync, randomUUID, sign, type KeyObject } from 'node:crypto';
import { somebody, type Person } from './people';
import type { Product } from './product';

export interface Key {
  id: string;
  secret: string;
}

/** What a service is told about a call; `hold` is the place that it took. */
export interface Verification {
  code: string;
  hold?: { id: string };
}

/** An operator, who has keys and may set them up. */
export class Keyring {
  private constructor(private readonly product: Product, readonly person: Person, private readonly own: Key) {}

  static async open(product: Product): Promise<Keyring> {
    const person = somebody('keyring');
    await product.cli(['admin', 'create', '--email', person.email, '--password-stdin'], person.password);
    const permissions = ['keys:verify', 'keys:write', 'apis:manage'].flatMap((permission) => ['--permission', permission]);
    const own = JSON.parse(await product.cli(['key', 'create', '--account', person.email, '--api', 'tollgate', '--name', 'keyring', '--json', ...permissions])) as Key;
    const keyring = new Keyring(product, person, own);
    await keyring.knows(own);
    return keyring;
  }

  /** A key for the API `demo`; `more` goes to `tollgate key create`. */
  async key(name: string, ...more: string[]): Promise<Key> {
    const key = JSON.parse(await this.product.cli(['key', 'create', '--account', this.person.email, '--api', 'demo', '--name', name, '--json', ...more])) as Key;
    await this.knows(key);
    return key;
  }

  /** A key that another process made is known to the server a moment later; asking with no cost charges no limit. */
  private async knows({ secret }: Key): Promise<void> {
    await expect.poll(async () => (await this.ask('POST', '/keys/verify', { key: secret, cost: 0 })).text()).toContain('"valid":true');
  }

  /** One call with this key: what the gate says of it. */
  async verify({ secret }: Key): Promise<Verification> {
    const answer = await this.ask('POST', '/keys/verify', { key: secret });
    if (!answer.ok) throw new Error(`/keys/verify: ${answer.status} ${await answer.text()}`);
    return (await answer.json()) as Verification;
  }

  /** Calls the REST API; fails unless it says yes. */
  async rest(method: string, path: string, body: object): Promise<void> {
    const answer = await this.ask(method, path, body);
    if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${await answer.text()}`);
  }

  private ask(method: string, path: string, body: object): Promise<Response> {
    const headers = { Authorization: `Bearer ${this.own.secret}`, 'Content-Type': 'application/json' };
    return fetch(`${this.product.url}/api/v1${path}`, { method, headers, body: JSON.stringify(body) });
  }

  /** From now on calls of this key have to be signed, with the private key that is returned. */
  async signs(key: Key): Promise<KeyObject> {
    const { publicKey, privateKey } = generateKeyPairSync('ed25519');
    const public_key = publicKey.export({ type: 'spki', format: 'der' }).subarray(-32).toString('base64');
    await this.rest('PUT', `/keys/${key.id}/signing`, { algorithm: 'ed25519', public_key });
    return privateKey;
  }
}

/** The fields that sign a call without a body: method and whole address, once. */
export function signature(key: Key, hand: KeyObject, method: string, url: string): Record<string, string> {
  const parameters = `("@method" "@target-uri");created=${Math.floor(Date.now() / 1000)};keyid="${key.id}";nonce="${randomUUID()}"`;
  const base = `"@method": ${method}\n"@target-uri": ${url}\n"@signature-params": ${parameters}`;
  return { 'Signature-Input': `sig1=${parameters}`, Signature: `sig1=:${sign(null, Buffer.from(base), hand).toString('base64')}:` };
}
