/**
 * `bullmq-runner/nestjs`: what a NestJS application imports. Nothing else of this package does, so that it needs NestJS
 * nowhere else. Decorators are called as functions here: Node runs this source as it is.
 */
export { contract } from '../job/contract.ts'
export { JobHandler } from './job-handler.ts'
export { RunnerModule } from './module.ts'
export { RunnerProducer } from './producer.ts'
export { RunnerHealthIndicator } from './health-indicator.ts'
export { RunnerError } from '../errors.ts'
export type { Contract, ContractOptions } from '../job/contract.ts'
export type { EnqueueOptions, JobContext } from '../job/context.ts'
export type { HandlerOptions, JobHandlerDecorator } from './job-handler.ts'
export type { RunnerModuleAsyncOptions } from './module.ts'
export type { RunnerModuleOptions } from './connection.ts'
export type { Enqueued } from './producer.ts'
export type { RunnerHealth, RunnerHealthOptions } from './health-indicator.ts'
