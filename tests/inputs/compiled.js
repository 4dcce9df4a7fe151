// Code made and dropped: functions, evaluated loops, contexts, WebAssembly; in the main thread and in workers.
const { Worker, isMainThread, parentPort, workerData } = require('worker_threads');
const { once } = require('events');
const fs = require('fs'), vm = require('vm');

// A function of its own each time, hot enough for every compiler, with a system call now and then.
function functions(count) {
  let sum = 0;
  for (let n = 1; n <= count; n++) {
    const made = new Function('fs', `let sum = 0; for (let i = 0; i < 20000; i++) sum = (sum + i * ${n}) % 1000003;
      for (let i = 0; i < 20; i++) sum += fs.existsSync('/') ? 1 : 0; return sum;`);
    sum += made(fs);
    if (n % 25 === 0) global.gc();
  }
  return sum;
}

function evaluated(count) {
  let sum = 0;
  for (let n = 1; n <= count; n++) {
    const text = `let s = ${n}; for (let i = 0; i < 3000; i++) s = (s * 31 + i) % 65521; return s;`;
    sum = (sum + eval(`(() => { ${text} })()`)) % 1000003;
  }
  return sum;
}

// Optimised for one shape, then met by others.
function shapes() {
  const add = (a, b) => a.x + b.x;
  let total = '';
  for (let round = 0; round < 30; round++) {
    let sum = 0;
    const kinds = [{ x: 1 }, { y: 0, x: 2 }, { x: 0.5, z: 1 }, { x: 'a' }, { w: 1, y: 2, x: 3n }];
    for (let i = 0; i < 3000; i++) sum += add(kinds[0], { x: i % 7 });
    for (const kind of kinds.slice(1, 4)) sum += String(add(kind, kind));
    try { add(kinds[4], kinds[0]); } catch (wrong) { sum += wrong.constructor.name; }
    total = sum;
  }
  return total;
}

function contexts(count) {
  let sum = 0;
  for (let n = 0; n < count; n++)
    sum += vm.runInNewContext('let s = 0; for (let i = 0; i < 5000; i++) s += i % n; s', { n: n + 1 });
  return sum;
}

// (func (export "f") (param i32) (result i32)): a loop, KEY added in each round; (func (export "g") (result i32)):
// reads beyond the memory; (func (export "h") (result i32)): calls what is imported.
function wasm(key) {
  const text = value => [value.length, ...Buffer.from(value)];
  const section = (id, bytes) => [id, bytes.length, ...bytes];
  const loop = [1, 1, 0x7f, 0x03, 0x40, 0x20, 1, 0x41, key, 0x6a, 0x21, 1,
    0x20, 0, 0x41, 1, 0x6b, 0x22, 0, 0x0d, 0, 0x0b, 0x20, 1, 0x0b];
  const beyond = [0, 0x41, 0x80, 0x80, 0xc, 0x28, 2, 0, 0x0b];
  const outside = [0, 0x10, 0, 0x0b];
  return new Uint8Array([0, 0x61, 0x73, 0x6d, 1, 0, 0, 0,
    ...section(1, [2, 0x60, 1, 0x7f, 1, 0x7f, 0x60, 0, 1, 0x7f]),
    ...section(2, [1, ...text('m'), ...text('i'), 0, 1]),
    ...section(3, [3, 0, 1, 1]), ...section(5, [1, 0, 1]),
    ...section(7, [3, ...text('f'), 0, 1, ...text('g'), 0, 2, ...text('h'), 0, 3]),
    ...section(10, [3, loop.length, ...loop, beyond.length, ...beyond, outside.length, ...outside])]);
}

async function modules(count) {
  let sum = 0, traps = 0;
  for (let n = 0; n < count; n++) {
    const imports = { m: { i: () => fs.existsSync('/') ? n : 0 } };
    const bytes = wasm(n % 60 + 1);
    const { instance } = n % 2 ? await WebAssembly.instantiate(bytes, imports)
      : { instance: new WebAssembly.Instance(new WebAssembly.Module(bytes), imports) };
    const { f, g, h } = instance.exports;
    for (let i = 0; i < 50; i++) sum = (sum + f(500)) % 1000003;
    sum += h();
    try { g(); } catch (wrong) { traps += wrong instanceof WebAssembly.RuntimeError ? 1 : 0; }
  }
  return [sum, traps].join();
}

async function work(scale) {
  const text = [functions(25 * scale), evaluated(100 * scale), shapes(), contexts(5 * scale)].join(' ');
  return `${text} ${await modules(30 * scale)}`;
}

async function main() {
  console.log('main', await work(3));
  const workers = [1, 2, 1, 2].map(scale => new Worker(__filename, { workerData: scale }));
  const answers = await Promise.all(workers.map(async worker => (await once(worker, 'message'))[0]));
  answers.forEach((answer, n) => console.log('worker', n, answer));
  const dropped = [];
  for (let i = 0; i < 8; i++) {
    const worker = new Worker('for (let n = 0; ; n++) new Function("return " + n)();', { eval: true });
    await once(worker, 'online');
    dropped.push(await worker.terminate());
  }
  console.log('stopped while compiling', dropped.join());
}

if (isMainThread) main(); else work(workerData).then(answer => parentPort.postMessage(answer));
