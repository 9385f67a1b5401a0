/** `RunnerModule`: producer and health indicator for all modules of an application. */
import { Module, type DynamicModule, type FactoryProvider, type ModuleMetadata } from '@nestjs/common'
import { RUNNER_OPTIONS, RunnerConnection, type RunnerModuleOptions } from './connection.ts'
import { RunnerHealthIndicator } from './health-indicator.ts'
import { RunnerProducer } from './producer.ts'

export interface RunnerModuleAsyncOptions extends Pick<ModuleMetadata, 'imports'> {
  inject?: NonNullable<FactoryProvider['inject']>
  useFactory: (...injected: never[]) => RunnerModuleOptions | Promise<RunnerModuleOptions>
}

/**
 * Global: imported once, at the root. It connects when a job is first added or health first asked for, and closes what it
 * opened at the end of the application, after its server.
 */
// oxlint-disable-next-line typescript/no-extraneous-class -- NestJS knows a module by its class.
export class RunnerModule {
  static forRoot(options: RunnerModuleOptions = {}): DynamicModule {
    return moduleOf({ provide: RUNNER_OPTIONS, useValue: options })
  }

  static forRootAsync({ imports = [], inject = [], useFactory }: RunnerModuleAsyncOptions): DynamicModule {
    const factory = useFactory as FactoryProvider['useFactory']
    return { ...moduleOf({ provide: RUNNER_OPTIONS, inject, useFactory: factory }), imports }
  }
}

Module({})(RunnerModule)

function moduleOf(options: NonNullable<DynamicModule['providers']>[number]): DynamicModule {
  return {
    module: RunnerModule,
    global: true,
    providers: [options, RunnerConnection, RunnerProducer, RunnerHealthIndicator],
    exports: [RunnerProducer, RunnerHealthIndicator],
  }
}
