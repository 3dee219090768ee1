// What must compile, and, after @ts-expect-error, what must not.
import { availableParallelism, type Supervisor, supervise, type WorkerExit } from 'rustcluster';

const supervisor: Supervisor = supervise({
  exec: new URL('file:///app.js'),
  workers: availableParallelism(),
  backoff: { max: 1000 },
  policy: 'sticky',
  args: (slot) => [`--shard=${slot}`],
  spares: 1,
  maxMemory: 512 * 2 ** 20,
  control: false,
  env: { PORT: '0' },
});
supervisor.on('worker:exit', (worker, exit: WorkerExit) => {
  const pid: number | undefined = worker.pid;
  void [pid, exit.delay, exit.signal === 'SIGKILL'];
});
supervisor.once('error', ({ code, stderr, exitCode }) => {
  // @ts-expect-error no supervisor error has this code
  void (code === 'ERR_QUEUE_FULL');
  void [stderr.length, exitCode];
});
supervisor.on('reload:step', ({ step, joined, total }) => {
  // @ts-expect-error no such step
  void (step === 'started');
  void (joined / total);
});
supervisor.on('worker:drained', (_worker, { moved }) => void moved.toFixed());
supervisor.on('worker:renew', ({ role }, { reason }) => void [role === 'spare', reason === 'maxAge']);
const chained: Promise<void> = supervisor.ready().then((ready) => ready.reload());
const count: number = supervisor.status().list.length;
// @ts-expect-error no such event
supervisor.on('worker:gone', () => {});
// @ts-expect-error no such option
supervise({ exec: 'app.js', instances: 2 });
// @ts-expect-error an environment holds strings
supervise({ exec: 'app.js', env: () => ({ PORT: 3000 }) });
// @ts-expect-error exec is required
supervise({});
// @ts-expect-error a state that no worker has
void (supervisor.status().list[0]?.state === 'online');
void [chained, count, supervisor.scale(3), supervisor.shutdown({ force: true })];
