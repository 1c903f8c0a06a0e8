// While very many people ask to subscribe, the form asks the browser for a number that is
// costly to find: SHA-256 of "stamp:number" must begin with a given number of zero bits. Without
// JavaScript a reader waits a minute instead. SHA-256 is as in FIPS 180-4.
"use strict";
(() => {
  const form = document.querySelector("form[data-work]");
  if (!form) return;
  const note = form.querySelector("[data-working]");
  const zeros = Number(form.dataset.work);
  const prefix = new TextEncoder().encode(form.elements.started.value + ":");

  const fraction = (x) => ((x - Math.floor(x)) * 4294967296) | 0;
  const primes = [];
  for (let n = 2; primes.length < 64; n++) {
    if (primes.every((p) => n % p)) primes.push(n);
  }
  const K = Int32Array.from(primes, (p) => fraction(Math.cbrt(p)));
  const H = Int32Array.from(primes.slice(0, 8), (p) => fraction(Math.sqrt(p)));
  const W = new Int32Array(64);

  const block = (state, bytes, at) => {
    for (let i = 0; i < 16; i++) {
      W[i] = (bytes[at + 4 * i] << 24) | (bytes[at + 4 * i + 1] << 16) | (bytes[at + 4 * i + 2] << 8) | bytes[at + 4 * i + 3];
    }
    for (let i = 16; i < 64; i++) {
      const x = W[i - 15], y = W[i - 2];
      const s0 = ((x >>> 7) | (x << 25)) ^ ((x >>> 18) | (x << 14)) ^ (x >>> 3);
      const s1 = ((y >>> 17) | (y << 15)) ^ ((y >>> 19) | (y << 13)) ^ (y >>> 10);
      W[i] = (W[i - 16] + s0 + W[i - 7] + s1) | 0;
    }
    let [a, b, c, d, e, f, g, h] = state;
    for (let i = 0; i < 64; i++) {
      const s1 = ((e >>> 6) | (e << 26)) ^ ((e >>> 11) | (e << 21)) ^ ((e >>> 25) | (e << 7));
      const t1 = (h + s1 + ((e & f) ^ (~e & g)) + K[i] + W[i]) | 0;
      const s0 = ((a >>> 2) | (a << 30)) ^ ((a >>> 13) | (a << 19)) ^ ((a >>> 22) | (a << 10));
      const t2 = (s0 + ((a & b) ^ (a & c) ^ (b & c))) | 0;
      h = g; g = f; f = e; e = (d + t1) | 0; d = c; c = b; b = a; a = (t1 + t2) | 0;
    }
    state[0] += a; state[1] += b; state[2] += c; state[3] += d;
    state[4] += e; state[5] += f; state[6] += g; state[7] += h;
  };

  // The whole blocks of the prefix are hashed once; the rest is shorter than two blocks.
  const whole = prefix.length - (prefix.length % 64);
  const begun = H.slice();
  for (let at = 0; at < whole; at += 64) block(begun, prefix, at);
  const rest = prefix.subarray(whole);
  const state = new Int32Array(8);

  const zeroBits = (number) => {
    const length = rest.length + number.length;
    const bytes = new Uint8Array(length < 56 ? 64 : 128);
    bytes.set(rest);
    for (let i = 0; i < number.length; i++) bytes[rest.length + i] = number.charCodeAt(i);
    bytes[length] = 0x80;
    new DataView(bytes.buffer).setUint32(bytes.length - 4, (whole + length) * 8);
    state.set(begun);
    for (let at = 0; at < bytes.length; at += 64) block(state, bytes, at);
    return state[0] ? Math.clz32(state[0]) : 32;
  };

  let n = 0, pressed = false, found = false;
  note.textContent = note.dataset.working;
  form.addEventListener("submit", (event) => {
    if (found) return;
    event.preventDefault();
    pressed = true;
  });
  const work = () => {
    for (const end = Date.now() + 40; Date.now() < end; ) {
      for (let i = 0; i < 500; i++, n++) {
        if (zeroBits(String(n)) < zeros) continue;
        found = true;
        form.elements.work.value = n;
        note.textContent = note.dataset.done;
        if (pressed) form.submit();
        return;
      }
    }
    setTimeout(work, 0);
  };
  work();
})();
