/** `runner serve` out of dist/, as bin/runner.js starts it once it is published. Ends with its parent. */
const cli = new URL('../../../cli.js', import.meta.url)
const { main } = (await import(cli.href)) as { main: (argv: string[]) => Promise<void> }
process.on('disconnect', () => process.exit())
// It says nothing by itself: whether it answers is asked over HTTP.
process.send?.({})
await main(process.argv)
