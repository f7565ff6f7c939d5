import type { Celery } from '../../src/index.ts'

/** Only its types are of interest. */
export declare const celery: Celery
