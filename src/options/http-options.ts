/** Where a process answers over HTTP. */
import { httpAddress } from '../setting-schemas.ts'
import { option, type Option } from './option.ts'

export const HTTP_OPTIONS = {
  http: option(
    'http',
    '--http <address>',
    'RUNNER_HTTP',
    httpAddress.optional(),
    undefined,
    'answer probes and metrics at this address: :9090 is every interface, 127.0.0.1:9090 this host',
  ),
} as const satisfies Record<string, Option>
