/** Fields of a job's hash that are ours: they go when the job goes. BullMQ's readers pass over those they do not know. */
export const CHECKPOINT = 'runner:checkpoint'
/** How often the job was in an executor that died. */
export const CRASHES = 'runner:crashes'
const STEP = 'runner:step:'
export const stepField = (name: string): string => STEP + name
/** Name of the step that a field is of; undefined: of none. */
export const stepOf = (field: string): string | undefined =>
  field.startsWith(STEP) ? field.slice(STEP.length) : undefined
