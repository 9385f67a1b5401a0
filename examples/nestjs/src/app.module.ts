/** What executors load, and the web application too: services and handlers, nothing that listens. */
import 'reflect-metadata'
import { Module } from '@nestjs/common'
import { RunnerModule } from 'bullmq-runner/nestjs'
import { MailHandlers, Mailer } from './mail.js'
import { ReportHandlers } from './reports.js'

@Module({
  // Redis by REDIS_URL, as for `runner`.
  imports: [RunnerModule.forRoot()],
  providers: [Mailer, MailHandlers, ReportHandlers],
})
export class AppModule {}
