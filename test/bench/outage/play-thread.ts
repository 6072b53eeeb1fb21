/** A thread of `bench outage`: one outage, played to one client. */
import { parentPort, workerData } from 'node:worker_threads'
import { play, type PlayOptions } from './play.ts'

parentPort?.postMessage(await play(workerData as PlayOptions), [])
