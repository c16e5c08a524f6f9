// The work before signing up: finds a number whose SHA-256 behind the challenge begins with so many zero bits, a few thousand tries at a
// time, so that the page stays alive. Without this script the form is taken after a wait.
(() => {
  const asked = document.querySelector('input[data-work]');
  const answer = document.querySelector('input[data-work-answer]');
  if (!asked || !answer || asked.dataset.begun) return;
  asked.dataset.begun = 'true';
  const first = asked.value.slice(0, 32);
  const bits = Number(asked.dataset.work);
  const K = constants();
  const words = new Int32Array(64);
  let waiting = null;
  let number = 0;

  asked.form.addEventListener('submit', (event) => {
    if (answer.value) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    waiting = event.submitter ?? true;
    document.querySelector('[data-work-said]')?.removeAttribute('hidden');
  }, true);
  setTimeout(some, 0);

  function some() {
    for (let i = 0; i < 4000; i++, number++) {
      if (Math.clz32(head(`${first}:${number}`)) >= bits) {
        answer.value = String(number);
        if (waiting) asked.form.requestSubmit(waiting === true ? undefined : waiting);
        return;
      }
    }
    setTimeout(some, 0);
  }

  // The first 32 bits of the SHA-256 (FIPS 180-4) of at most 55 ASCII characters: one block.
  function head(text) {
    words.fill(0, 0, 16);
    for (let i = 0; i < text.length; i++) words[i >> 2] |= text.charCodeAt(i) << (24 - (i & 3) * 8);
    words[text.length >> 2] |= 0x80 << (24 - (text.length & 3) * 8);
    words[15] = text.length * 8;
    for (let i = 16; i < 64; i++) {
      const a = words[i - 15], b = words[i - 2];
      const s0 = turn(a, 7) ^ turn(a, 18) ^ (a >>> 3), s1 = turn(b, 17) ^ turn(b, 19) ^ (b >>> 10);
      words[i] = (words[i - 16] + s0 + words[i - 7] + s1) | 0;
    }
    let [a, b, c, d, e, f, g, h] = K.begin;
    for (let i = 0; i < 64; i++) {
      const t1 = (h + (turn(e, 6) ^ turn(e, 11) ^ turn(e, 25)) + ((e & f) ^ (~e & g)) + K.round[i] + words[i]) | 0;
      const t2 = ((turn(a, 2) ^ turn(a, 13) ^ turn(a, 22)) + ((a & b) ^ (a & c) ^ (b & c))) | 0;
      h = g; g = f; f = e; e = (d + t1) | 0; d = c; c = b; b = a; a = (t1 + t2) | 0;
    }
    return (a + K.begin[0]) | 0;
  }

  function turn(x, n) { return (x >>> n) | (x << (32 - n)); }

  // Fractional parts of the square roots of the first 8 primes, and of the cube roots of the first 64.
  function constants() {
    const primes = [];
    for (let n = 2; primes.length < 64; n++) if (primes.every((p) => n % p)) primes.push(n);
    const part = (x) => ((x - Math.floor(x)) * 2 ** 32) | 0;
    return { begin: primes.slice(0, 8).map((p) => part(Math.sqrt(p))), round: primes.map((p) => part(Math.cbrt(p))) };
  }
})();
