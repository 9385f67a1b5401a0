/** Imported by a process whose memory is to be known: says at its end the most that it held, in KiB. */
process.on('exit', () => process.stderr.write(`maxrss ${process.resourceUsage().maxRSS}\n`))
