import { runPython } from '../celery.ts'
import { type Figures, runAsSide } from '../side.ts'

await runAsSide(async ({ tasks, redisPort }) => {
  const speeds = JSON.parse(await runPython('enqueue.py', redisPort, tasks)) as Figures
  return { perSecond: Math.max(...Object.values(speeds)), ...speeds }
})
