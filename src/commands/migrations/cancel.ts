/** `runner migrations cancel <run>`. */
import type { Command } from 'commander'
import type { CliContext } from '../verbs.ts'
import { CANCEL } from '../../steering/moves.ts'
import { defineMove } from './steer.ts'

export function define(command: Command, context: CliContext): void {
  defineMove(command, context, CANCEL)
}
