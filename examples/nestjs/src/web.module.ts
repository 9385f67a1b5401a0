/** The web application: everything of AppModule, and what listens. Executors do not load it. */
import { BullModule } from '@nestjs/bullmq'
import { Module } from '@nestjs/common'
import { AppModule } from './app.module.js'
import { AuditWorker } from './audit.js'
import { JobsController } from './jobs.controller.js'
import { MailOutcomes, ReportOutcomes } from './outcomes.js'

@Module({
  imports: [
    AppModule,
    // The same Redis and the same prefix as the fleet: with another prefix its jobs would wait where nobody looks.
    BullModule.forRoot({ connection: { url: process.env['REDIS_URL'] ?? 'redis://127.0.0.1:6379' } }),
    BullModule.registerQueue({ name: 'mail' }, { name: 'reports' }, { name: 'audit' }),
    BullModule.registerFlowProducer({ name: 'reports' }),
  ],
  controllers: [JobsController],
  providers: [MailOutcomes, ReportOutcomes, AuditWorker],
})
export class WebModule {}
