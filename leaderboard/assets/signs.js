/* Random signs, the same as those of harness/significance/signs.py: the sign of question q in
   resample b is bit b of the stream of Philox4x64-10 whose key is BLAKE2b-128 over the id of the
   question, salted with the seed. A bit that is set is +1. It does not depend on which other
   questions, systems or settings are compared.

   JavaScript has no 64-bit integers that are fast, so each word is kept as two halves of 32 bits,
   the low one first. */
"use strict";

globalThis.babelboardSigns = (() => {
  /* BLAKE2b (RFC 7693) */

  const IV = [
    0xf3bcc908, 0x6a09e667, 0x84caa73b, 0xbb67ae85, 0xfe94f82b, 0x3c6ef372, 0x5f1d36f1, 0xa54ff53a,
    0xade682d1, 0x510e527f, 0x2b3e6c1f, 0x9b05688c, 0xfb41bd6b, 0x1f83d9ab, 0x137e2179, 0x5be0cd19,
  ];
  const ORDERS = [
    [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15],
    [14, 10, 4, 8, 9, 15, 13, 6, 1, 12, 0, 2, 11, 7, 5, 3],
    [11, 8, 12, 0, 5, 2, 15, 13, 10, 14, 3, 6, 7, 1, 9, 4],
    [7, 9, 3, 1, 13, 12, 11, 14, 2, 6, 5, 10, 4, 0, 15, 8],
    [9, 0, 5, 7, 2, 4, 10, 15, 14, 1, 11, 12, 6, 8, 3, 13],
    [2, 12, 6, 10, 0, 11, 8, 3, 4, 13, 7, 5, 15, 14, 1, 9],
    [12, 5, 1, 15, 14, 13, 4, 10, 0, 7, 6, 3, 9, 2, 8, 11],
    [13, 11, 7, 14, 12, 1, 3, 9, 5, 0, 15, 4, 8, 6, 2, 10],
    [6, 15, 14, 9, 11, 3, 0, 8, 12, 2, 13, 7, 1, 4, 10, 5],
    [10, 2, 8, 4, 7, 6, 1, 5, 15, 11, 9, 14, 3, 12, 13, 0],
  ];
  const ROUNDS = 12;
  const BLOCK_BYTES = 128;
  const DIGEST_BYTES = 16;
  const LANES = [
    [0, 4, 8, 12], [1, 5, 9, 13], [2, 6, 10, 14], [3, 7, 11, 15],
    [0, 5, 10, 15], [1, 6, 11, 12], [2, 7, 8, 13], [3, 4, 9, 14],
  ];

  const state = new Uint32Array(32);
  const message = new Uint32Array(32);

  function addTo(target, low, high) {
    const sum = state[2 * target] + low;
    state[2 * target + 1] += high + (sum > 0xffffffff ? 1 : 0);
    state[2 * target] = sum;
  }

  /* state[target] = rotate right (state[target] xor state[other]); 32 swaps the halves. */
  function xorRotate(target, other, by) {
    let low = state[2 * target] ^ state[2 * other];
    let high = state[2 * target + 1] ^ state[2 * other + 1];
    if (by >= 32) [low, high] = [high, low];
    const rest = by % 32;
    state[2 * target] = rest ? (low >>> rest) | (high << (32 - rest)) : low;
    state[2 * target + 1] = rest ? (high >>> rest) | (low << (32 - rest)) : high;
  }

  function mix([a, b, c, d], x, y) {
    addTo(a, state[2 * b], state[2 * b + 1]);
    addTo(a, message[2 * x], message[2 * x + 1]);
    xorRotate(d, a, 32);
    addTo(c, state[2 * d], state[2 * d + 1]);
    xorRotate(b, c, 24);
    addTo(a, state[2 * b], state[2 * b + 1]);
    addTo(a, message[2 * y], message[2 * y + 1]);
    xorRotate(d, a, 16);
    addTo(c, state[2 * d], state[2 * d + 1]);
    xorRotate(b, c, 63);
  }

  /* The 16 bytes of the digest as four words of 32 bits, the least significant first. */
  function blake2b(bytes, salt) {
    const hash = Uint32Array.from(IV);
    hash[0] ^= 0x01010000 ^ DIGEST_BYTES;
    hash[8] ^= Number(salt & 0xffffffffn);
    hash[9] ^= Number(salt >> 32n);
    const blocks = Math.max(1, Math.ceil(bytes.length / BLOCK_BYTES));
    for (let block = 0; block < blocks; block++) {
      const end = Math.min(bytes.length, (block + 1) * BLOCK_BYTES);
      message.fill(0);
      for (let i = block * BLOCK_BYTES; i < end; i++) {
        const place = i - block * BLOCK_BYTES;
        message[place >> 2] |= bytes[i] << (8 * (place & 3));
      }
      state.set(hash);
      state.set(IV, 16);
      state[24] ^= end;
      if (block === blocks - 1) {
        state[28] = ~state[28];
        state[29] = ~state[29];
      }
      for (let round = 0; round < ROUNDS; round++) {
        const order = ORDERS[round % ORDERS.length];
        for (let i = 0; i < 8; i++) mix(LANES[i], order[2 * i], order[2 * i + 1]);
      }
      for (let i = 0; i < 16; i++) hash[i] ^= state[i] ^ state[i + 16];
    }
    return hash.slice(0, DIGEST_BYTES / 4);
  }

  /* UTF-8 as Python's "surrogatepass" writes it; TextEncoder would replace lone surrogates. */
  function utf8(text) {
    const bytes = [];
    for (const character of text) {
      const code = character.codePointAt(0);
      if (code < 0x80) bytes.push(code);
      else if (code < 0x800) bytes.push(0xc0 | (code >> 6), 0x80 | (code & 63));
      else {
        if (code < 0x10000) bytes.push(0xe0 | (code >> 12));
        else bytes.push(0xf0 | (code >> 18), 0x80 | ((code >> 12) & 63));
        bytes.push(0x80 | ((code >> 6) & 63), 0x80 | (code & 63));
      }
    }
    return bytes;
  }

  /* Philox4x64-10 (Salmon, Moraes, Dror & Shaw 2011). numpy's counter is 1 for the first four
     words of 64 bits. */

  const PHILOX_ROUNDS = 10;
  const [M0_LOW, M0_HIGH] = [0xe14c6c93 | 0, 0xd2e7470e | 0];
  const [M1_LOW, M1_HIGH] = [0x95121157 | 0, 0xca5a8263 | 0];
  const WEYL = [0x7f4a7c15, 0x9e3779b9, 0x84caa73b, 0xbb67ae85];
  const LARGEST_SEED = 2n ** 64n - 1n;

  const GROUP = 8;
  const RESAMPLES = 2048; // of a block
  const WORDS = RESAMPLES / 32;
  const WORDS_PER_COUNT = 8;
  const COUNTS = WORDS / WORDS_PER_COUNT;

  /* The high half of a product of two words of 32 bits; Math.imul gives the low half. */
  function highProduct(a, b) {
    const aLow = a & 0xffff, aHigh = a >>> 16, bLow = b & 0xffff, bHigh = b >>> 16;
    const low = Math.imul(aLow, bLow) >>> 16;
    const middle = (Math.imul(aHigh, bLow) + low) >>> 0;
    const other = (Math.imul(aLow, bHigh) + (middle & 0xffff)) >>> 0;
    return (Math.imul(aHigh, bHigh) + (middle >>> 16) + (other >>> 16)) >>> 0;
  }

  /* The keys of all rounds of a question's stream, four words of 32 bits each. */
  function roundKeys(digest) {
    const keys = new Int32Array(4 * PHILOX_ROUNDS);
    keys.set(digest);
    for (let i = 4; i < keys.length; i += 4) {
      for (const half of [0, 2]) {
        const sum = (keys[i - 4 + half] >>> 0) + WEYL[half];
        keys[i + half] = sum;
        keys[i + half + 1] = keys[i - 3 + half] + WEYL[half + 1] + (sum > 0xffffffff ? 1 : 0);
      }
    }
    return keys;
  }

  const CARRY = 2 ** -32;
  const product = new Int32Array(4);

  /* Leaves the product of two words of 64 bits in `product`, the least significant part first. */
  function multiply(aLow, aHigh, bLow, bHigh) {
    const low = highProduct(aLow, bLow) + (Math.imul(aLow, bHigh) >>> 0) +
      (Math.imul(aHigh, bLow) >>> 0);
    const high = highProduct(aLow, bHigh) + highProduct(aHigh, bLow) +
      (Math.imul(aHigh, bHigh) >>> 0) + ((low * CARRY) | 0);
    product[0] = Math.imul(aLow, bLow);
    product[1] = low;
    product[2] = high;
    product[3] = highProduct(aHigh, bHigh) + ((high * CARRY) | 0);
  }

  /* Writes four words of 64 bits, those of one count of the stream, from out[place] on. */
  function philox(keys, count, out, place) {
    let low0 = count, high0 = 0, low1 = 0, high1 = 0, low2 = 0, high2 = 0, low3 = 0, high3 = 0;
    for (let i = 0; i < 4 * PHILOX_ROUNDS; i += 4) {
      multiply(M0_LOW, M0_HIGH, low0, high0);
      const newLow2 = product[2] ^ low3 ^ keys[i + 2], newHigh2 = product[3] ^ high3 ^ keys[i + 3];
      low3 = product[0];
      high3 = product[1];
      multiply(M1_LOW, M1_HIGH, low2, high2);
      low0 = product[2] ^ low1 ^ keys[i];
      high0 = product[3] ^ high1 ^ keys[i + 1];
      low1 = product[0];
      high1 = product[1];
      low2 = newLow2;
      high2 = newHigh2;
    }
    out[place] = low0;
    out[place + 1] = high0;
    out[place + 2] = low1;
    out[place + 3] = high1;
    out[place + 4] = low2;
    out[place + 5] = high2;
    out[place + 6] = low3;
    out[place + 7] = high3;
  }

  /* Signs of some questions, in blocks of resamples. */
  class Signs {
    /* questions: ids; seed: a whole number from 0 to 2^64 - 1, as a BigInt. */
    constructor(questions, seed) {
      if (seed < 0n || seed > LARGEST_SEED) {
        throw new RangeError(`The seed must be from 0 to 2^64 - 1, found ${seed}.`);
      }
      this.keys = questions.map((question) => roundKeys(blake2b(utf8(question), seed)));
      this.groups = Math.ceil(questions.length / GROUP);
      this.words = new Int32Array(GROUP * WORDS);
    }

    /* The signs of the resamples [RESAMPLES * block, RESAMPLES * (block + 1)) as bytes, RESAMPLES
       for each group of eight questions: bit j of a byte is the sign of the group's question j. */
    fill(block, bytes) {
      // Bytes within a word are in little-endian order on every machine that has a browser.
      const out = new Int32Array(bytes.buffer);
      for (let group = 0; group < this.groups; group++) {
        const first = group * GROUP;
        const end = Math.min(this.keys.length, first + GROUP);
        this.words.fill(0);
        for (let question = first; question < end; question++) {
          for (let i = 0; i < COUNTS; i++) {
            const place = WORDS * (question - first) + WORDS_PER_COUNT * i;
            philox(this.keys[question], 1 + block * COUNTS + i, this.words, place);
          }
        }
        transpose(this.words, out, (group * RESAMPLES) / 4);
      }
    }
  }

  /* Eight questions by 32 resamples, four times 8 x 8 bits (Warren, Hacker's Delight, 7-3). */
  function transpose(words, out, start) {
    for (let word = 0; word < WORDS; word++) {
      for (let byte = 0; byte < 4; byte++) {
        const shift = 8 * byte;
        let low = 0, high = 0;
        for (let row = 0; row < 4; row++) {
          low |= ((words[WORDS * row + word] >>> shift) & 0xff) << (8 * row);
          high |= ((words[WORDS * (row + 4) + word] >>> shift) & 0xff) << (8 * row);
        }
        let swap = (low ^ (low >>> 7)) & 0x00aa00aa;
        low ^= swap ^ (swap << 7);
        swap = (high ^ (high >>> 7)) & 0x00aa00aa;
        high ^= swap ^ (swap << 7);
        swap = (low ^ (low >>> 14)) & 0x0000cccc;
        low ^= swap ^ (swap << 14);
        swap = (high ^ (high >>> 14)) & 0x0000cccc;
        high ^= swap ^ (swap << 14);
        const place = start + 8 * word + 2 * byte;
        out[place] = (low & 0x0f0f0f0f) | ((high & 0x0f0f0f0f) << 4);
        out[place + 1] = ((low & 0xf0f0f0f0) >>> 4) | (high & 0xf0f0f0f0);
      }
    }
  }

  return Object.freeze({ GROUP, RESAMPLES, Signs });
})();
