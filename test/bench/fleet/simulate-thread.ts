/** A thread of `bench fleet --simulate`: one simulation. */
import { parentPort, workerData } from 'node:worker_threads'
import { simulate, type SimulationOptions } from './simulate.ts'

parentPort?.postMessage(simulate(workerData as SimulationOptions), [])
