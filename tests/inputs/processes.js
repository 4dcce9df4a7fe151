// Worker threads that share memory, children of every kind, messages, signals both ways.
const { Worker, isMainThread, parentPort, workerData } = require('worker_threads');
const { exec, execFile, fork, spawn, spawnSync } = require('child_process');
const { once } = require('events');
const { promisify } = require('util');

const WORKERS = 8, ROUNDS = 2000;

async function sharedMemory() {
  const cells = new Int32Array(new SharedArrayBuffer(8));
  const workers = Array.from({ length: WORKERS }, () => new Worker(__filename, { workerData: cells }));
  await Promise.all(workers.map(worker => once(worker, 'message')));
  Atomics.store(cells, 1, 1);
  Atomics.notify(cells, 1);
  console.log('exits', (await Promise.all(workers.map(worker => once(worker, 'exit')))).flat().join());
  console.log('sum', Atomics.load(cells, 0));
}

async function terminated() {
  const codes = [];
  for (let i = 0; i < 10; i++) {
    const worker = new Worker('setInterval(() => {}, 1); for (;;) if (Math.random() > 2) break;', { eval: true });
    await once(worker, 'online');
    codes.push(await worker.terminate());
  }
  console.log('terminated', codes.join());
}

async function messages() {
  const child = fork(__filename, ['child']);
  let last = 0;
  for (let i = 1; i <= 500; i++) {
    child.send({ number: i });
    last = (await once(child, 'message'))[0].twice;
  }
  console.log('messages', last);
  child.kill('SIGUSR2');
  console.log('from its handler', (await once(child, 'message'))[0]);
  child.disconnect();
  console.log('fork', (await once(child, 'exit')).join());
}

async function children() {
  const run = promisify(exec);
  const outputs = await Promise.all(Array.from({ length: 20 }, (_, i) => run(`echo ${i}; exit 0`)));
  console.log('exec', outputs.map(o => o.stdout.trim()).join());
  console.log('fails', await run('echo wrong >&2; exit 9').catch(e => `${e.code} ${e.stderr.trim()}`));
  console.log('timeout', await run('sleep 100', { timeout: 50 }).catch(e => `${e.killed} ${e.signal}`));
  console.log('none', await promisify(execFile)('/nonexistent').catch(e => e.code));
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP', 'SIGKILL', 'SIGSEGV', 'SIGUSR1']) {
    const child = spawn('sleep', ['100']);
    await once(child, 'spawn');
    child.kill(signal);
    console.log(signal, (await once(child, 'exit')).join());
  }
  const stopped = spawn('sh', ['-c', 'kill -STOP $$; echo on; exit 6']);
  const timer = setInterval(() => stopped.kill('SIGCONT'), 20);
  console.log('continued', (await once(stopped, 'close')).join());
  clearInterval(timer);
  console.log('sync', spawnSync('sh', ['-c', 'kill -TERM $$']).signal);
  console.log('sync', spawnSync('cat', { input: 'text' }).stdout.toString());
}

async function signals() {
  let seen = 0;
  const awake = setInterval(() => {}, 1000);
  process.on('SIGUSR2', () => seen++);
  for (let i = 0; i < 200; i++) {
    const came = once(process, 'SIGUSR2');
    process.kill(process.pid, 'SIGUSR2');
    await came;
  }
  console.log('signals', seen);
  const interrupted = once(process, 'SIGINT');
  spawn('sh', ['-c', 'kill -INT $PPID']);
  console.log('interrupted', (await interrupted)[0]);
  clearInterval(awake);
}

async function main() {
  await sharedMemory();
  await terminated();
  await messages();
  await children();
  await signals();
  process.on('exit', code => console.log('exit', code));
  process.exitCode = 4;
}

function worker() {
  const cells = workerData;
  parentPort.postMessage('ready');
  Atomics.wait(cells, 1, 0);
  for (let i = 0; i < ROUNDS; i++) {
    Atomics.add(cells, 0, new Array(100).fill(1).length / 100);
    if (i % 100 === 0) Atomics.wait(cells, 0, -1, 1);
  }
}

function child() {
  process.on('message', message => process.send({ twice: 2 * message.number }));
  process.on('SIGUSR2', () => process.send('SIGUSR2'));
  process.on('disconnect', () => process.exit(7));
}

if (!isMainThread) worker(); else if (process.argv[2] === 'child') child(); else main();
