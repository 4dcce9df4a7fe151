// Worker threads, child processes, files, timers, a server and its client.
const { Worker, isMainThread, parentPort, workerData } = require('worker_threads');
const { execFileSync, spawn, spawnSync } = require('child_process');
const fs = require('fs'), http = require('http');

function hot(n) { let sum = 0; for (let i = 0; i < n; i++) sum = (sum + i * i) % 1000003; return sum; }

async function main() {
  const results = await Promise.all([1, 2, 3, 4].map(n => new Promise((done, wrong) => {
    const worker = new Worker(__filename, { workerData: n });
    worker.on('message', done).on('error', wrong);
  })));
  console.log('workers', results);
  console.log('execFile', execFileSync('seq', ['3']).toString().trim().split('\n'));
  console.log('spawn', spawnSync('sh', ['-c', 'echo err >&2; exit 4']).status);
  const cat = spawn('cat'), pieces = [];
  cat.stdout.on('data', data => pieces.push(data));
  cat.stdin.end('x'.repeat(100000));
  await new Promise(done => cat.on('close', done));
  console.log('cat', Buffer.concat(pieces).length);
  for (let i = 0; i < 50; i++) await fs.promises.writeFile('file' + i, 'text ' + i);
  console.log('files', fs.readdirSync('.').filter(name => name.startsWith('file')).length);
  const server = http.createServer((request, response) => response.end(request.url)).listen(0, '127.0.0.1');
  await new Promise(done => server.on('listening', done));
  for (let i = 0; i < 20; i++) {
    const body = await new Promise((done, wrong) => http.get(
      { port: server.address().port, host: '127.0.0.1', path: '/' + i, agent: false },
      response => { let all = ''; response.on('data', d => all += d).on('end', () => done(all)); }).on('error', wrong));
    if (body !== '/' + i) throw new Error(body);
  }
  server.close();
  const started = Date.now();
  await new Promise(done => setTimeout(done, 20));
  console.log('http', 'timer', Date.now() - started >= 19);
  try { fs.readFileSync('/nonexistent'); } catch (wrong) { console.log(wrong.code); }
  process.exitCode = 3;
}

if (isMainThread) main(); else parentPort.postMessage(hot(1000000 * workerData));
