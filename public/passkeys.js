// Passkeys (WebAuthn): the button of a form with a field [data-passkey] asks the authenticator first, then sends what it answered. The
// server says what to ask and checks everything; here only bytes are turned into text and back. Loaded with `defer` and a nonce.
(() => {
  if (!window.PublicKeyCredential || !navigator.credentials || window.passkeys) return;
  window.passkeys = true; // a page may name this script twice
  const RENEW_MS = 4 * 60_000; // a question is good for five minutes

  const bytes = (text) => Uint8Array.from(atob(text.replaceAll('-', '+').replaceAll('_', '/')), (char) => char.charCodeAt(0));
  const text = (buffer) => btoa(String.fromCharCode(...new Uint8Array(buffer))).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '');

  function toOptions(json) {
    const ids = (list) => (list ?? []).map((one) => ({ ...one, id: bytes(one.id) }));
    const options = { ...json, challenge: bytes(json.challenge) };
    if (json.user) return { ...options, user: { ...json.user, id: bytes(json.user.id) }, excludeCredentials: ids(json.excludeCredentials) };
    return { ...options, allowCredentials: ids(json.allowCredentials) };
  }

  function toText(credential) { // a new passkey, or a proof
    const { id, rawId, type, response } = credential;
    const said = { clientDataJSON: text(response.clientDataJSON) };
    if (response.attestationObject) {
      said.attestationObject = text(response.attestationObject);
      said.transports = response.getTransports?.() ?? [];
    } else {
      said.authenticatorData = text(response.authenticatorData);
      said.signature = text(response.signature);
      said.userHandle = response.userHandle?.byteLength ? text(response.userHandle) : null;
    }
    return JSON.stringify({ id, rawId: text(rawId), type, response: said, clientExtensionResults: credential.getClientExtensionResults() });
  }

  async function ask(field) {
    if (field.dataset.options) return JSON.parse(field.dataset.options);
    const form = new FormData(field.form);
    const body = field.dataset.purpose ? { purpose: field.dataset.purpose } : { email: form.get('email'), name: form.get('name') };
    const answer = await fetch(field.dataset.ask, { method: 'POST', headers: { Accept: 'application/json' }, body: new URLSearchParams(body) });
    if (!answer.ok) throw Object.assign(new Error('not asked'), { status: answer.status });
    return JSON.parse(await answer.json());
  }

  function say(field, words) {
    const line = field.form.querySelector('[data-passkey-said]');
    line.textContent = words;
    line.hidden = !words;
  }

  function send(field, value, button) {
    field.value = value;
    field.form.requestSubmit(button);
  }

  // What the browser offers where the address is typed, until a button asks for something else.
  let offer;
  async function suggest(field) {
    if (!await PublicKeyCredential.isConditionalMediationAvailable?.()) return;
    offer = new AbortController();
    const { signal } = offer;
    const renew = setTimeout(() => { offer.abort(); again(field); }, RENEW_MS);
    try {
      const publicKey = toOptions(await ask(field));
      if (signal.aborted) return;
      const credential = await navigator.credentials.get({ publicKey, mediation: 'conditional', signal });
      if (credential) send(field, toText(credential));
    } catch {
      // Nothing was chosen, or nothing can be: the button is still there.
    } finally {
      clearTimeout(renew);
    }
  }
  function again(field) {
    if (!document.hidden) return suggest(field);
    document.addEventListener('visibilitychange', () => again(field), { once: true });
  }

  async function prove(field, button) {
    offer?.abort();
    say(field, '');
    button?.setAttribute('aria-busy', 'true');
    try {
      const publicKey = toOptions(await ask(field));
      const how = field.dataset.passkey === 'create' ? 'create' : 'get';
      return send(field, toText(await navigator.credentials[how]({ publicKey })), button);
    } catch (error) {
      if (error.status === 422) return send(field, '-', button); // the server says which field is wrong
      say(field, error.name === 'InvalidStateError' ? 'This device has a passkey for your account already.'
        : error.status === 429 ? 'Too many tries. Wait a minute, then try again.'
        : error.status ? 'This page is too old. Reload it and try again.'
        : 'No passkey was used. Try again, or use another way.');
    } finally {
      button?.removeAttribute('aria-busy');
    }
  }

  // Before enhance.js sees it: a form without its answer is not sent yet.
  addEventListener('submit', (event) => {
    const field = event.target.querySelector('[data-passkey]');
    if (!field || field.value) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    if (event.submitter?.getAttribute('aria-busy') !== 'true') prove(field, event.submitter);
  }, true);
  // A page that comes back from the cache asks anew.
  addEventListener('pageshow', ({ persisted }) => {
    if (persisted) for (const field of document.querySelectorAll('[data-passkey]')) field.value = '';
  });

  for (const part of document.querySelectorAll('[data-passkey-part]')) part.hidden = false;
  for (const field of document.querySelectorAll('[data-passkey]')) {
    const { unknown } = field.dataset;
    if (unknown) PublicKeyCredential.signalUnknownCredential?.({ rpId: location.hostname, credentialId: JSON.parse(unknown).id }).catch(() => {});
    if (field.dataset.suggests !== undefined) suggest(field);
  }
})();
