import { InjectFlowProducer, InjectQueue } from '@nestjs/bullmq'
import { BadRequestException, Body, Controller, Get, NotFoundException, Param, Post } from '@nestjs/common'
import type { FlowProducer, Queue } from 'bullmq'
import { RunnerError, RunnerHealthIndicator, RunnerProducer } from 'bullmq-runner/nestjs'
import { AuditWorker } from './audit.js'
import { sendEmail } from './mail.js'
import { MailOutcomes, ReportOutcomes } from './outcomes.js'

@Controller()
export class JobsController {
  constructor(
    private readonly producer: RunnerProducer,
    private readonly health: RunnerHealthIndicator,
    private readonly mails: MailOutcomes,
    private readonly reports: ReportOutcomes,
    private readonly audit: AuditWorker,
    @InjectQueue('mail') private readonly mail: Queue,
    @InjectQueue('audit') private readonly audits: Queue,
    @InjectFlowProducer('reports') private readonly flows: FlowProducer,
  ) {}

  /** By the contract: the payload is checked before anything is added. */
  @Post('emails')
  async email(@Body() body: { to: string }): Promise<{ id: string }> {
    await this.audits.add('mail-asked-for', { what: `mail to ${body.to}` })
    try {
      const { id } = await this.producer.enqueue(sendEmail, body)
      return { id }
    } catch (error) {
      if (error instanceof RunnerError && error.code === 'ARGS_INVALID')
        throw new BadRequestException(error.details)
      throw error
    }
  }

  /** By @nestjs/bullmq alone: the fleet runs what has the name of one of its handlers. */
  @Post('clean-ups')
  async cleanUp(@Body() body: object): Promise<{ id: string }> {
    const job = await this.mail.add('clean-up', body)
    return { id: job.id as string }
  }

  /** Options stand at each job: a FlowProducer knows nothing of the defaultJobOptions of a queue. */
  @Post('reports')
  async report(@Body() { tables }: { tables: string[] }): Promise<{ id: string }> {
    const { job } = await this.flows.add({
      name: 'write-report',
      queueName: 'reports',
      children: tables.map(table => ({
        name: 'count-rows',
        queueName: 'reports',
        data: { table },
        opts: { attempts: 3 },
      })),
    })
    return { id: job.id as string }
  }

  @Get('emails/:id')
  emailOutcome(@Param('id') id: string): unknown {
    return known(this.mails.of(id))
  }

  @Get('reports/:id')
  reportOutcome(@Param('id') id: string): unknown {
    return known(this.reports.of(id))
  }

  @Get('audit')
  auditLog(): string[] {
    return this.audit.written
  }

  @Get('health')
  healthOf(): unknown {
    return this.health.isHealthy('runner', { queues: ['mail', 'reports'] })
  }
}

function known(outcome: unknown): unknown {
  if (outcome === undefined) throw new NotFoundException()
  return outcome
}
