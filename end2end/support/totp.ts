// An authenticator app (RFC 6238: SHA-1, six digits, 30 seconds).
import { createHmac } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';

const BASE32 = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';

const STEP_MS = 30_000;
/** In so much time a code is typed and sent. */
const TYPING_MS = 10_000;

/** The code of this step, or of the one before, which the product takes too: while it is typed no step ends that would make it too old. */
export async function totp(secret: string, which: 'now' | 'before' = 'now'): Promise<string> {
  const left = STEP_MS - (Date.now() % STEP_MS);
  if (which === 'before' && left < TYPING_MS) await sleep(left);
  return codeOf(secret, Math.floor(Date.now() / STEP_MS) - (which === 'before' ? 1 : 0));
}

function codeOf(secret: string, number: number): string {
  const bits = [...secret.replace(/\s/g, '')].map((letter) => BASE32.indexOf(letter).toString(2).padStart(5, '0')).join('');
  const key = Buffer.from(bits.match(/.{8}/g)!.map((byte) => parseInt(byte, 2)));
  const step = Buffer.alloc(8);
  step.writeBigUInt64BE(BigInt(number));
  const mac = createHmac('sha1', key).update(step).digest();
  const code = (mac.readUInt32BE(mac[19] & 15) & 0x7fffffff) % 1_000_000;
  return String(code).padStart(6, '0');
}
