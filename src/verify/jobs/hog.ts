export { default } from '../canary-job.ts'
