// The form of /sign-in as a browser without JavaScript has it.
import { call } from './machine.mjs';

export class SignInForm {
  cookies = new Map();

  constructor(url, action, inputs) { Object.assign(this, { url, action, inputs }); }

  /** Reads the page of the product at `url`. */
  static async of(url) {
    const page = await call(`${url}/sign-in`);
    const forms = page.body.match(/<form[^>]*method="post"[^>]*>[\s\S]*?<\/form>/gi) ?? [];
    const form = forms.find((html) => html.includes('type="password"'));
    if (!form) throw new Error('/sign-in has no form');
    const attribute = (tag, name) => tag.match(new RegExp(`\\b${name}="([^"]*)"`))?.[1]?.replaceAll('&amp;', '&');
    const inputs = [...form.matchAll(/<input[^>]*>/g)]
      .map(([tag]) => ({ name: attribute(tag, 'name'), type: attribute(tag, 'type'), value: attribute(tag, 'value') ?? '' }))
      .filter(({ name, type }) => name && type !== 'checkbox');
    const action = attribute(form.slice(0, form.indexOf('>') + 1), 'action') ?? '/sign-in';
    const read = new SignInForm(url, new URL(action, `${url}/sign-in`), inputs);
    read.#keep(page);
    return read;
  }

  get cookieHeader() { return [...this.cookies].map((pair) => pair.join('=')).join('; '); }

  /** Sends it. `headers` and `agent` are those of `call`; with `keep: false` the cookies of the answer are forgotten. */
  async post(email, password, { headers = {}, agent, keep = true } = {}) {
    const fields = new URLSearchParams();
    for (const { name, type, value } of this.inputs) fields.append(name, type === 'email' ? email : type === 'password' ? password : value);
    const answer = await call(this.action, {
      method: 'POST',
      agent,
      headers: {
        'Content-Type': 'application/x-www-form-urlencoded', Accept: 'text/html', Origin: this.url, Referer: `${this.url}/sign-in`,
        'Sec-Fetch-Site': 'same-origin', 'Sec-Fetch-Mode': 'navigate', Cookie: this.cookieHeader, ...headers,
      },
      body: fields.toString(),
    });
    if (keep) this.#keep(answer);
    return answer;
  }

  #keep({ headers }) {
    for (const [name, value] of headers) {
      if (name !== 'set-cookie') continue;
      const [, cookie, content] = value.match(/^([^=]+)=([^;]*)/);
      this.cookies.set(cookie, content);
    }
  }
}
