// A mail server for tests: takes what the product sends over SMTP (the part of RFC 5321 that a submission needs) and
// lets a test wait for a mail. It delivers to nobody, and refuses who is called as `NO_MAILBOX`.
import { createServer, type Server, type Socket } from 'node:net';
import type { AddressInfo } from 'node:net';

export interface Mail {
  from: string;
  to: string[];
  subject: string;
  /** The text part, decoded. */
  text: string;
  /** The HTML part, decoded; empty where there is none. */
  html: string;
  /** As it came over the wire. */
  raw: string;
}

export interface Wanted {
  to: string;
  subject?: string | RegExp;
}

const PATIENCE_MS = 15_000;

/** Addresses that begin so are refused for good. */
export const NO_MAILBOX = 'no-such-mailbox';

export class Mailbox {
  readonly mails: Mail[] = [];
  private readonly server: Server;
  private readonly sockets = new Set<Socket>();
  private readonly waiting = new Set<() => void>();

  private constructor() {
    this.server = createServer((socket) => this.converse(socket));
  }

  static async open(): Promise<Mailbox> {
    const box = new Mailbox();
    await new Promise<void>((done) => box.server.listen(0, '127.0.0.1', done));
    return box;
  }

  get url(): string {
    return `smtp://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  /** The newest mail that fits, as soon as there is one; a mail that was returned before does not count again. */
  async waitFor(wanted: Wanted): Promise<Mail> {
    const deadline = Date.now() + PATIENCE_MS;
    for (;;) {
      const found = this.mails.findLastIndex((mail) => fits(mail, wanted));
      if (found >= 0) return this.mails.splice(found, 1)[0];
      const left = deadline - Date.now();
      if (left <= 0) {
        const seen = this.mails.map((mail) => `${mail.to.join(', ')}: ${mail.subject}`).join('\n  ') || '(none)';
        throw new Error(`No mail to ${wanted.to} (subject ${wanted.subject ?? 'any'}) within ${PATIENCE_MS / 1000} s. There are:\n  ${seen}`);
      }
      await this.nextMail(left);
    }
  }

  async close(): Promise<void> {
    for (const socket of this.sockets) socket.destroy();
    await new Promise((done) => this.server.close(done));
  }

  private nextMail(withinMs: number): Promise<void> {
    return new Promise((done) => {
      const wake = () => { clearTimeout(timer); this.waiting.delete(wake); done(); };
      const timer = setTimeout(wake, withinMs);
      this.waiting.add(wake);
    });
  }

  private deliver(from: string, to: string[], raw: string): void {
    this.mails.push({ from, to, raw, subject: decodeWords(header(raw, 'Subject')), text: part(raw, 'text/plain'), html: part(raw, 'text/html') });
    for (const wake of [...this.waiting]) wake();
  }

  private converse(socket: Socket): void {
    this.sockets.add(socket);
    socket.on('close', () => this.sockets.delete(socket)).on('error', () => socket.destroy());
    socket.setEncoding('utf8');
    const say = (line: string) => socket.write(`${line}\r\n`);
    let buffer = '', from = '', to: string[] = [], inData = false;
    say('220 mailbox ESMTP');
    socket.on('data', (chunk: string) => {
      buffer += chunk;
      for (;;) {
        const end = inData ? buffer.indexOf('\r\n.\r\n') : buffer.indexOf('\r\n');
        if (end < 0) return;
        const line = buffer.slice(0, end);
        buffer = buffer.slice(end + (inData ? 5 : 2));
        if (inData) {
          inData = false;
          this.deliver(from, to, line.replace(/^\.\./gm, '.'));
          from = ''; to = [];
          say('250 kept');
          continue;
        }
        const verb = line.slice(0, 4).toUpperCase();
        if (verb === 'EHLO') socket.write('250-mailbox\r\n250 8BITMIME\r\n');
        else if (verb === 'MAIL') { from = address(line); say('250 ok'); }
        else if (verb === 'RCPT' && address(line).startsWith(NO_MAILBOX)) say('550 no such mailbox');
        else if (verb === 'RCPT') { to.push(address(line)); say('250 ok'); }
        else if (verb === 'DATA') { inData = true; say('354 end with a dot'); }
        else if (verb === 'QUIT') { say('221 bye'); socket.end(); }
        else if (['HELO', 'RSET', 'NOOP'].includes(verb)) say('250 ok');
        else say('502 not here');
      }
    });
  }
}

/** The first link in the mail's text whose path starts so. */
export function linkIn(mail: Mail, path: string): string {
  const found = mail.text.match(/https?:\/\/\S+/g)?.find((link) => new URL(link).pathname.startsWith(path));
  if (found === undefined) throw new Error(`No link to ${path} in the mail:\n${mail.text}`);
  return found;
}

function fits(mail: Mail, wanted: Wanted): boolean {
  const { subject } = wanted;
  return mail.to.includes(wanted.to) && (subject === undefined || (typeof subject === 'string' ? mail.subject.includes(subject) : subject.test(mail.subject)));
}

function address(line: string): string {
  return line.match(/<([^>]*)>/)?.[1] ?? '';
}

function header(head: string, name: string): string {
  const unfolded = head.split('\r\n\r\n', 1)[0].replace(/\r\n[ \t]+/g, ' ');
  return unfolded.match(new RegExp(`^${name}: *(.*)$`, 'im'))?.[1].trim() ?? '';
}

/** The decoded body of the first part of that type, in whatever multipart nesting. */
function part(raw: string, type: string): string {
  const [head, body] = splitOnce(raw, '\r\n\r\n');
  const contentType = header(head, 'Content-Type') || 'text/plain';
  const boundary = contentType.match(/boundary="?([^";]+)/i)?.[1];
  if (boundary !== undefined) {
    const parts = body.split(`--${boundary}`).slice(1, -1).map((text) => text.replace(/^\r\n/, ''));
    return parts.map((text) => part(text, type)).find((text) => text !== '') ?? '';
  }
  if (!contentType.toLowerCase().startsWith(type)) return '';
  const encoding = header(head, 'Content-Transfer-Encoding').toLowerCase();
  if (encoding === 'base64') return Buffer.from(body, 'base64').toString('utf8');
  if (encoding === 'quoted-printable') return quotedPrintable(body.replace(/=\r\n/g, ''));
  return body;
}

function decodeWords(text: string): string {
  return text.replace(/\?=\s+=\?/g, '?==?').replace(/=\?utf-8\?([bq])\?([^?]*)\?=/gi, (_, kind: string, word: string) =>
    kind.toLowerCase() === 'b' ? Buffer.from(word, 'base64').toString('utf8') : quotedPrintable(word.replace(/_/g, ' ')));
}

function quotedPrintable(text: string): string {
  return Buffer.from(text.replace(/=([0-9A-F]{2})/gi, (_, hex: string) => String.fromCharCode(parseInt(hex, 16))), 'latin1').toString('utf8');
}

function splitOnce(text: string, at: string): [string, string] {
  const end = text.indexOf(at);
  return end < 0 ? [text, ''] : [text.slice(0, end), text.slice(end + at.length)];
}
