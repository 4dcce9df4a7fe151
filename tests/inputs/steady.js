// The same work over and over for so many seconds: a server and its client, files, functions compiled and dropped,
// WebAssembly, messages of a worker.
const { Worker, isMainThread, parentPort } = require('worker_threads');
const { once } = require('events');
const fs = require('fs'), http = require('http');

const EMPTY = new Uint8Array([0, 0x61, 0x73, 0x6d, 1, 0, 0, 0]);

function compile(n) {
  let sum = 0;
  for (let k = n; k < n + 5; k++)
    sum += new Function(`let s = 0; for (let i = 0; i < 20000; i++) s = (s + i * ${k}) % 65521; return s;`)();
  return sum + (new WebAssembly.Instance(new WebAssembly.Module(EMPTY)) ? 1 : 0);
}

async function get(port) {
  const [response] = await once(http.get({ port, host: '127.0.0.1', agent: false }), 'response');
  response.resume();
  await once(response, 'end');
}

async function main() {
  const server = http.createServer((_, response) => response.end('x'.repeat(1000))).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const worker = new Worker(__filename);
  const end = Date.now() + 1000 * process.argv[2];
  for (let n = 0; Date.now() < end; n++) {
    for (let i = 0; i < 20; i++) await get(server.address().port);
    for (let i = 0; i < 50; i++) {
      fs.writeFileSync('file', 'text ' + i);
      fs.readFileSync('file');
      await fs.promises.stat('file');
    }
    compile(n);
    worker.postMessage(n);
    await once(worker, 'message');
    if (n % 10 === 0) global.gc();
  }
  await worker.terminate();
  server.close();
}

if (isMainThread) main(); else parentPort.on('message', n => { fs.statSync('/'); parentPort.postMessage(compile(n)); });
